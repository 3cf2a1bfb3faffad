import { z } from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import { receiptLengthMax } from '#common/contracts/receipt.ts';

const count = z.int().nonnegative();
const covers = z.record(z.string(), z.array(count)).optional();

/** `format=tick`: one compact event a tick. `covers=1`: the offsets counted, with each tick. */
export const streamQuery = z.strictObject({
  format: z.literal('tick').optional(),
  covers: z.literal('1').optional(),
  proof: z.string().min(1).max(receiptLengthMax).optional(),
});

/** Data of a `vote_update` event; no option is named while counts are hidden. */
export const voteUpdate = z.strictObject({
  type: z.literal('vote_update'),
  session_id: z.uuid(),
  option_id: z.string().nullable(),
  new_count: count.nullable(),
  total_votes: count,
  timestamp: z.iso.datetime({ precision: 3 }),
  covers,
});

/** Data of a tick: the total, and place and count of each option that changed. */
export const tick = z.strictObject({ t: count, c: z.array(z.tuple([count, count])), covers });

export const paths: ZodOpenApiPathsObject = {
  '/api/v1/results/{session_id}/stream': {
    get: {
      summary: 'Totals as they come in: a snapshot, then what changes, until the stream ends.',
      requestParams: {
        path: z.object({ session_id: z.uuid() }),
        query: streamQuery,
        header: z.object({ 'last-event-id': z.string().optional() }),
      },
      responses: {
        200: {
          description: 'Server-sent events: `snapshot`, then `vote_update` or ticks',
          content: { 'text/event-stream': { schema: z.union([voteUpdate, tick]) } },
        },
      },
    },
  },
};
