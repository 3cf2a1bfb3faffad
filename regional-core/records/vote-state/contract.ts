import { z } from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import { problems } from '#common/problem-contract.ts';

const time = z.iso.datetime();

export const voteState = z.object({
  vote_id: z.uuid(),
  session_id: z.uuid(),
  status: z.enum(['accepted', 'counted', 'late', 'quarantined', 'void']),
  confirmation_code: z
    .string()
    .nullable()
    .optional()
    .describe('Of the row that counts; null while none does. Only for the holder of the ballot.'),
  as_cast: z
    .boolean()
    .nullable()
    .optional()
    .describe('In place of the code, for a proof: does the row that counts hold that choice?'),
  accepted_at: time.nullable(),
  counted_at: time.nullable(),
  as_of: time.describe('When this was read.'),
  covers: z
    .record(z.string(), z.array(z.int().min(0)).readonly())
    .readonly()
    .describe('Next offset per partition that the ledger had read then, by region.'),
});

export type VoteState = z.infer<typeof voteState>;

export const paths: ZodOpenApiPathsObject = {
  '/api/v1/votes/{vote_id}': {
    get: {
      operationId: 'getVoteState',
      summary: 'The state of a vote, for whoever holds its ballot, receipt or confirmation code.',
      security: [{ ballotToken: [] }, {}],
      requestParams: {
        path: z.object({ vote_id: z.uuid() }),
        query: z.object({
          at: z.string().optional().describe("The receipt's region/partition/offset."),
        }),
        header: z.object({
          'vote-proof': z
            .string()
            .optional()
            .describe('The signed receipt or the confirmation code; 10 tries a minute.'),
        }),
      },
      responses: {
        200: {
          description: 'The state',
          content: { 'application/json': { schema: voteState } },
        },
        ...problems(
          'not_found',
          'not_recorded_yet',
          'region_lost',
          'rate_limit_exceeded',
          'outcome_unknown',
          'not_ready',
        ),
      },
    },
  },
};
