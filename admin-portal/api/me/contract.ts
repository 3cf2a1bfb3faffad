import type { ZodOpenApiPathsObject } from 'zod-openapi';
import { problems } from '#common/problem-contract.ts';
import { adminAnswer } from '../login/contract.ts';

export const paths: ZodOpenApiPathsObject = {
  '/admin/api/v1/me': {
    get: {
      operationId: 'getAdmin',
      summary: 'Who is logged in.',
      responses: {
        200: { description: 'The admin', content: { 'application/json': { schema: adminAnswer } } },
        ...problems('invalid_token', 'forbidden', 'not_ready'),
      },
    },
  },
};
