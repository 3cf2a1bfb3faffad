import { z } from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import { resultStates } from '#common/contracts/session.ts';
import { problems } from '#common/problem-contract.ts';
import { actAnswer } from '../../acts/contract.ts';

const place = z.object({ option_id: z.string(), votes: z.int() });

const finalityAnswer = z.object({
  session_id: z.uuid(),
  version: z.int(),
  state: z.enum(resultStates),
  closes_at: z.iso.datetime(),
  sealed_at: z.iso.datetime().nullable(),
  final_at: z.iso.datetime().nullable(),
  digest: z.string().nullable().describe('Of the final result.'),
  act_hash: z.string().nullable().describe('The act that made it final.'),
  total: z.int(),
  first: place,
  second: place,
  margin: z.int().describe('Votes between the first and the second.'),
  outstanding: z
    .int()
    .describe(
      'Records of live logs that were not read yet, of all sessions, as last heard; a log is asked ' +
        'each ten seconds.',
    ),
  decided: z
    .boolean()
    .describe(
      'Nothing can change who is first: sealed; or closed, every log was heard since, and what is ' +
        'outstanding or waits to be settled is less than half the margin.',
    ),
  late: z.int(),
  logs: z.array(
    z.object({
      log: z.string(),
      live: z.boolean(),
      partitions: z.int(),
      sealed: z.int().describe('Partitions read through their seals.'),
      outstanding: z.int(),
      covers: z
        .array(z.int())
        .nullable()
        .describe('Next offset per partition that the result stands on; null: not sealed yet.'),
    }),
  ),
  lost_regions: z.array(
    z.object({ region: z.string(), lost_at: z.iso.datetime(), never_read: z.int() }),
  ),
  corrections: z.array(
    z.object({
      kind: z.enum(['seal', 'void', 'restore']),
      moved: z.int(),
      act_hash: z.string().nullable(),
      corrected_at: z.iso.datetime(),
    }),
  ),
  acts: z.array(actAnswer).describe('About this session, newest first, at most 50.'),
});

export type FinalityAnswer = z.infer<typeof finalityAnswer>;

export const paths: ZodOpenApiPathsObject = {
  '/admin/api/v1/sessions/{session_id}/finality': {
    get: {
      operationId: 'getFinality',
      summary: 'How far a session is on its way to a final result, and what is outstanding.',
      requestParams: { path: z.object({ session_id: z.uuid() }) },
      responses: {
        200: {
          description: 'The way to the final result',
          content: { 'application/json': { schema: finalityAnswer } },
        },
        ...problems('invalid_token', 'forbidden', 'not_found', 'not_ready'),
      },
    },
  },
};
