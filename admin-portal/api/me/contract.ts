import type { ZodOpenApiPathsObject } from 'zod-openapi';
import { adminAnswer } from '../login/contract.ts';

export const paths: ZodOpenApiPathsObject = {
  '/admin/api/v1/me': {
    get: {
      summary: 'Who is logged in.',
      responses: {
        200: { description: 'The admin', content: { 'application/json': { schema: adminAnswer } } },
      },
    },
  },
};
