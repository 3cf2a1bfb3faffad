import { z } from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import { problems } from '#common/problem-contract.ts';
import { sessionAnswer } from '../contract.ts';

export const paths: ZodOpenApiPathsObject = {
  '/admin/api/v1/sessions/{session_id}/release': {
    post: {
      operationId: 'releaseResults',
      summary: 'Show the results of a closed session whose policy is on_release.',
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
