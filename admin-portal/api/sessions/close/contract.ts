import { z } from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import { problems } from '#common/problem-contract.ts';
import { sessionAnswer } from '../contract.ts';

export const paths: ZodOpenApiPathsObject = {
  '/admin/api/v1/sessions/{session_id}/close': {
    post: {
      operationId: 'closeSession',
      summary: 'Close an open session, 10 seconds from now.',
      requestParams: { path: z.object({ session_id: z.uuid() }) },
      responses: {
        200: {
          description: 'The session',
          content: { 'application/json': { schema: sessionAnswer } },
        },
        ...problems(
          'invalid_token',
          'forbidden',
          'not_found',
          'session_conflict',
          'outcome_unknown',
          'not_ready',
        ),
      },
    },
  },
};
