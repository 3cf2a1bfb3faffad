import { z } from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import { resultsPolicies } from '#common/contracts/session.ts';

const count = z.int().nonnegative();

/** Totals of a session; counts and percentages are null while the viewer may not see them. */
export const snapshotAnswer = z.strictObject({
  session_id: z.uuid(),
  state: z.enum(['scheduled', 'open', 'closed']),
  results_policy: z.enum(resultsPolicies),
  hidden: z.boolean(),
  total_votes: count,
  options: z.array(
    z.strictObject({
      option_id: z.string(),
      label: z.string(),
      vote_count: count.nullable(),
      percentage: z.number().min(0).max(100).nullable(),
    }),
  ),
  last_updated: z.iso.datetime({ precision: 3 }),
  is_finalized: z.boolean(),
  sequence: count,
  covers: z.record(z.string(), z.array(count)),
  cache_hit: z.boolean(),
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
