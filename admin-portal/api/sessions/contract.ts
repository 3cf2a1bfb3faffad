import { z } from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import { eligibilityPolicies, resultStates, resultsPolicies } from '#common/contracts/session.ts';
import { problems } from '#common/problem-contract.ts';

/** A session as every admin route answers it. */
export const sessionAnswer = z.object({
  session_id: z.uuid(),
  title: z.string(),
  state: z.enum(resultStates),
  opens_at: z.iso.datetime(),
  closes_at: z.iso.datetime(),
  options: z.array(z.object({ option_id: z.string(), label: z.string() })),
  eligibility: z.array(z.object({ policy: z.enum(eligibilityPolicies) })),
  results_policy: z.enum(resultsPolicies),
  released_at: z.iso.datetime().optional().describe('Since when released results are shown.'),
  version: z.int(),
});

export type SessionAnswer = z.infer<typeof sessionAnswer>;

const found = {
  description: 'The session',
  content: { 'application/json': { schema: sessionAnswer } },
};
const path = z.object({ session_id: z.uuid() });

/** `POST /sessions/{session_id}/{change}`: takes no body, answers the session as it is then. */
export function changePaths(
  change: 'open' | 'close' | 'release',
  operationId: string,
  summary: string,
): ZodOpenApiPathsObject {
  return {
    [`/admin/api/v1/sessions/{session_id}/${change}`]: {
      post: {
        operationId,
        summary,
        requestParams: { path },
        responses: {
          200: found,
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
}

export const paths: ZodOpenApiPathsObject = {
  '/admin/api/v1/sessions': {
    get: {
      operationId: 'listAdminSessions',
      summary: 'The newest sessions, newest first, at most 200.',
      responses: {
        200: {
          description: 'Sessions',
          content: {
            'application/json': { schema: z.object({ sessions: z.array(sessionAnswer) }) },
          },
        },
        ...problems('invalid_token', 'forbidden', 'not_ready'),
      },
    },
  },
  '/admin/api/v1/sessions/{session_id}': {
    get: {
      operationId: 'getAdminSession',
      summary: 'One session.',
      requestParams: { path },
      responses: {
        200: found,
        ...problems('invalid_token', 'forbidden', 'not_found', 'not_ready'),
      },
    },
  },
};
