import { z } from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import { eligibilityPolicies, resultsPolicies } from '#common/contracts/session.ts';
import { problems } from '#common/problem-contract.ts';
import { listedSessionsMax } from './session-view.ts';

export const optionSchema = z
  .object({ option_id: z.string(), label: z.string() })
  .meta({ id: 'Option' });

export const sessionSchema = z
  .object({
    session_id: z.uuid(),
    title: z.string(),
    state: z.enum(['scheduled', 'open', 'closed']),
    opens_at: z.iso.datetime(),
    closes_at: z.iso.datetime(),
    options: z.array(optionSchema).describe('In ballot order.'),
    eligibility: z.array(z.object({ policy: z.enum(eligibilityPolicies) })),
    results_policy: z.enum(resultsPolicies),
    version: z.int().describe('Rises with every change.'),
    results_url: z.url().describe('Prefix of the addresses where results are read.'),
  })
  .meta({ id: 'Session' });

export const sessionParams = z.object({ session_id: z.string() });

export const paths: ZodOpenApiPathsObject = {
  '/api/v1/sessions': {
    get: {
      operationId: 'listSessions',
      summary: `Open and scheduled sessions, newest first, at most ${listedSessionsMax}.`,
      responses: {
        '200': {
          description: 'The sessions.',
          content: {
            'application/json': { schema: z.object({ sessions: z.array(sessionSchema) }) },
          },
        },
        ...problems('not_ready'),
      },
    },
  },
  '/api/v1/sessions/{session_id}': {
    get: {
      operationId: 'getSession',
      summary: 'One session.',
      requestParams: { path: sessionParams },
      responses: {
        '200': {
          description: 'The session.',
          content: { 'application/json': { schema: sessionSchema } },
        },
        ...problems('not_found', 'not_ready'),
      },
    },
  },
};
