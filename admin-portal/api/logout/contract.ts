import type { ZodOpenApiPathsObject } from 'zod-openapi';

export const paths: ZodOpenApiPathsObject = {
  '/admin/api/v1/logout': {
    post: {
      summary: 'End the login; also without one.',
      responses: { 204: { description: 'Logged out; the cookie is taken back' } },
    },
  },
};
