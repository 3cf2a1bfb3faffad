import { z } from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import { resultStates, resultsPolicies } from '#common/contracts/session.ts';
import { correctionKinds } from '#common/contracts/vote-aggregated.ts';

const count = z.int().nonnegative();

const optionResult = z.strictObject({
  option_id: z.string(),
  label: z.string(),
  vote_count: count.nullable(),
  percentage: z.number().min(0).max(100).nullable(),
});

/**
 * Totals of a session; counts and percentages are null while the viewer may not see them. `stale`:
 * they hold behind the votes for a moment. `corrections`: what may have made a count fall.
 */
export const snapshotAnswer = z.strictObject({
  session_id: z.uuid(),
  state: z.enum(resultStates),
  results_policy: z.enum(resultsPolicies),
  hidden: z.boolean(),
  total_votes: count,
  options: z.array(optionResult),
  last_updated: z.iso.datetime({ precision: 3 }),
  stale: z.boolean(),
  corrections: z.array(
    z.strictObject({
      kind: z.enum(correctionKinds),
      at: z.iso.datetime({ precision: 3 }),
      moved: count,
    }),
  ),
  is_finalized: z.boolean(),
  final_url: z.string().nullable().meta({
    description: 'Where the final result stands for good; null until there is one to be seen',
  }),
  sequence: count,
  covers: z.record(z.string(), z.array(count)),
  cache_hit: z.boolean(),
});

const hash = z.string().regex(/^[0-9a-f]{64}$/);

/** The final result at its own address: the same bytes for ever. */
export const finalAnswer = z.strictObject({
  session_id: z.uuid(),
  title: z.string(),
  total_votes: count,
  options: z.array(
    optionResult.extend({ vote_count: count, percentage: z.number().min(0).max(100) }),
  ),
  is_finalized: z.literal(true),
  digest: hash.meta({ description: 'SHA-256 over all votes that count' }),
  act_hash: hash.meta({ description: 'SHA-256 of the act that two people signed' }),
});

const path = z.object({ session_id: z.uuid() });
const found = {
  description: 'The latest totals',
  content: { 'application/json': { schema: snapshotAnswer } },
};

export const paths: ZodOpenApiPathsObject = {
  '/api/v1/results/{session_id}': {
    get: {
      summary: 'The latest totals of a session, as anybody may see them.',
      requestParams: { path },
      responses: { 200: found, 304: { description: 'Nothing new' } },
    },
  },
  '/api/v1/results/{session_id}/final/{digest}': {
    get: {
      summary: 'The final result, at an address of its own that never says anything else.',
      requestParams: { path: z.object({ session_id: z.uuid(), digest: hash }) },
      responses: {
        200: {
          description: 'The final result; to be kept for as long as anybody likes',
          content: { 'application/json': { schema: finalAnswer } },
        },
        304: { description: 'Nothing new' },
      },
    },
  },
  '/api/v1/results/{session_id}/voted': {
    get: {
      summary: 'The latest totals, as who voted in the session may see them.',
      requestParams: {
        path,
        header: z.object({ 'vote-proof': z.string().meta({ description: 'The receipt' }) }),
      },
      responses: { 200: found },
    },
  },
};
