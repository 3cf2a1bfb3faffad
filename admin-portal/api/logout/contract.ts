import type { ZodOpenApiPathsObject } from 'zod-openapi';
import { problems } from '#common/problem-contract.ts';

export const paths: ZodOpenApiPathsObject = {
  '/admin/api/v1/logout': {
    post: {
      operationId: 'logOutAdmin',
      summary: 'End the login; also without one.',
      responses: {
        204: { description: 'Logged out; the cookie is taken back' },
        ...problems('forbidden', 'not_ready'),
      },
    },
  },
};
