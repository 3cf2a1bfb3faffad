import type { PoolClient } from 'pg';

/** Vote ids as 32 hexadecimal digits, both ends included. */
export interface VoteRange {
  readonly from: string;
  readonly to: string;
}

/** `accepted_at_ms` is in whole ms since the epoch, as the digest takes it. */
export interface CountedRow {
  readonly vote_id: string;
  readonly option_no: number;
  readonly accepted_at_ms: number;
}

const rowsAtOnce = 20_000;

/** The rows that count in a range of vote ids, in order; votes that were taken out are left out. */
export async function* readRows(
  client: PoolClient,
  sessionNo: number,
  range: VoteRange,
): AsyncGenerator<readonly CountedRow[]> {
  let after: string | undefined;
  for (;;) {
    const { rows } = await client.query<CountedRow>({
      name: 'recount-rows',
      text: `SELECT vote_id, option_no,
          (extract(epoch FROM accepted_at) * 1000)::bigint AS accepted_at_ms
        FROM votes.votes AS vote
        WHERE session_no = $1 AND vote_id >= $2 AND vote_id <= $3
          AND ($4::uuid IS NULL OR vote_id > $4)
          AND NOT EXISTS (SELECT FROM votes.void_votes AS taken
            WHERE taken.session_no = $1 AND taken.vote_id = vote.vote_id)
        ORDER BY vote_id LIMIT $5`,
      values: [sessionNo, after ?? range.from, range.to, after, rowsAtOnce],
    });
    yield rows;
    if (rows.length < rowsAtOnce) return;
    after = rows.at(-1)!.vote_id;
  }
}
