import { z } from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import { problems } from '#common/problem-contract.ts';
import { optionSchema, sessionParams } from '../session/contract.ts';
import { typedCodeLengthMax } from './voting-code.ts';

export const ballotBody = z
  .strictObject({
    code: z.string().min(1).max(typedCodeLengthMax).optional(),
  })
  .meta({ id: 'BallotRequest' });

const ballotAnswer = z
  .object({
    ballot_token: z.string(),
    expires_in: z.int().describe('Seconds that the ballot can be cast; it reads longer.'),
    session: z.object({
      session_id: z.uuid(),
      title: z.string(),
      state: z.enum(['scheduled', 'open', 'closed']),
      opens_at: z.iso.datetime(),
      version: z.int(),
    }),
    options: z.array(optionSchema),
    closes_at: z.iso.datetime(),
    regions: z
      .array(z.object({ name: z.string(), url: z.url() }))
      .describe('Nearest first; try the next when one does not answer.'),
  })
  .meta({ id: 'Ballot' });

export const paths: ZodOpenApiPathsObject = {
  '/api/v1/sessions/{session_id}/ballot': {
    post: {
      operationId: 'openBallot',
      summary: 'Open a ballot, with a login or with a voting code; ahead of the opening, too.',
      description:
        'The same voter gets the same vote id every time, also after voting or closing (then for ' +
        'reading), until the result is final.',
      security: [{ accessToken: [] }, {}],
      requestParams: { path: sessionParams },
      requestBody: { content: { 'application/json': { schema: ballotBody } } },
      responses: {
        '200': {
          description: 'The ballot.',
          content: { 'application/json': { schema: ballotAnswer } },
        },
        ...problems(
          'invalid_token',
          'not_eligible',
          'not_found',
          'session_closed',
          'body_too_large',
          'unsupported_media_type',
          'invalid_code',
          'rate_limit_exceeded',
          'not_ready',
        ),
      },
    },
  },
};
