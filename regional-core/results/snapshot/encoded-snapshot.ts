import { createHash } from 'node:crypto';
import { toTimestamp } from '#common/clock.ts';
import { type Chunk, encodeEvent, frameChunk } from '../stream/sse.ts';
import { percentagesOf, type View } from '../view.ts';

/** A snapshot in bytes: the body of an answer, and the event that a stream begins with. */
export class EncodedSnapshot {
  readonly body: Buffer;
  /** Weak: the bytes of two answers may differ in `cache_hit`, what they say does not. */
  readonly etag: string;
  readonly sequence: number;
  #event: Chunk | undefined;

  constructor(body: string, etag: string, sequence: number) {
    this.body = Buffer.from(body);
    this.etag = etag;
    this.sequence = sequence;
  }

  /** The `snapshot` event; framed when first asked for, as most snapshots are never streamed. */
  get event(): Chunk {
    const data = (): string => this.body.toString();
    this.#event ??= frameChunk(encodeEvent({ event: 'snapshot', id: this.sequence, data: data() }));
    return this.#event;
  }
}

/** Both encodings of a view: for the request that caused it, and for all that follow. */
export function encodeSnapshot(view: View): { first: EncodedSnapshot; kept: EncodedSnapshot } {
  const json = JSON.stringify(snapshotOf(view));
  const etag = `W/"${createHash('sha256').update(json).digest('base64url').slice(0, 22)}"`;
  const withHit = (hit: boolean): EncodedSnapshot =>
    new EncodedSnapshot(`${json.slice(0, -1)},"cache_hit":${hit}}`, etag, view.sequence);
  return { first: withHit(false), kept: withHit(true) };
}

/** Where the final result of a view stands for good; null until there is one to be seen. */
export function finalUrl({ known, counts }: View): string | null {
  const { final, session_id: sessionId } = known.session;
  return final && counts ? `/api/v1/results/${sessionId}/final/${final.digest}` : null;
}

function snapshotOf(view: View) {
  const { known, state, counts, totalVotes, sequence, covers, updatedAtMs, isStale } = view;
  const { session } = known;
  const percentages = counts && percentagesOf(counts);
  return {
    session_id: session.session_id,
    state,
    results_policy: session.results_policy,
    hidden: counts === null,
    total_votes: totalVotes,
    options: session.options.map(({ option_id, label }, optionNo) => ({
      option_id,
      label,
      vote_count: counts?.[optionNo] ?? null,
      percentage: percentages?.[optionNo] ?? null,
    })),
    last_updated: toTimestamp(updatedAtMs),
    stale: isStale,
    corrections: view.corrected.map(({ kind, at_ms, moved }) => ({
      kind,
      at: toTimestamp(at_ms),
      moved,
    })),
    is_finalized: state === 'final',
    final_url: finalUrl(view),
    sequence,
    covers,
  };
}
