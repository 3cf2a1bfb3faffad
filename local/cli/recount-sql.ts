import type { PoolClient } from 'pg';
import type { PublicJwk } from '#common/keys.ts';
import { toPublicJwk } from '#common/keys.ts';

/** What a recount takes as given: the session, as it stands in the database. */
export interface RecountedSession {
  readonly session_no: number;
  readonly session_id: string;
  readonly version: number;
  readonly title: string;
  readonly option_ids: readonly string[];
  readonly opens_at: Date;
  readonly closes_at: Date;
  readonly sealed_at: Date | null;
  readonly final_at: Date | null;
}

export async function readSession(
  client: PoolClient,
  sessionId: string,
): Promise<RecountedSession | undefined> {
  const { rows } = await client.query<RecountedSession>(
    `SELECT session_no, session_id, version, title, opens_at, closes_at, sealed_at, final_at,
       ARRAY(SELECT option ->> 'option_id'
         FROM jsonb_array_elements(options) WITH ORDINALITY AS listed(option, no)
         ORDER BY no) AS option_ids
     FROM votes.voting_sessions WHERE session_id = $1`,
    [sessionId],
  );
  return rows[0];
}

/** A log that counts, or did until its region was declared lost. */
export interface RecountedLog {
  readonly region_no: number;
  /** A region's name, or `region@host` for the copies of a lost region. */
  readonly log: string;
  /** False: it is never read again, and counts as far as it was counted. */
  readonly is_live: boolean;
  /** Next offset per partition that the ledger had read. */
  readonly offsets: readonly number[];
}

/**
 * The logs that a session's votes came from: those that are read, and those that were. Copies are
 * left out for a session that was settled from the originals.
 */
export async function readLogs(
  client: PoolClient,
  { sealed_at }: RecountedSession,
): Promise<RecountedLog[]> {
  const { rows } = await client.query<RecountedLog>(
    `SELECT log.region_no, log.region AS log, live.region_no IS NOT NULL AS is_live,
       ARRAY(SELECT next_offset FROM votes.offsets o
         WHERE o.region_no = log.region_no ORDER BY partition) AS offsets
     FROM votes.regions AS log
     LEFT JOIN votes.live_logs AS live USING (region_no)
     LEFT JOIN votes.regions AS origin ON origin.region_no = log.stands_for
     WHERE log.stands_for IS NULL OR origin.lost_at < coalesce($1::timestamptz, 'infinity')
     ORDER BY log.region`,
    [sealed_at],
  );
  return rows;
}

/** Votes per option number, as the live tallies have them. */
export async function readTallies(
  client: PoolClient,
  session: RecountedSession,
): Promise<number[]> {
  const { rows } = await client.query<{ option_no: number; votes: number }>(
    `SELECT option_no, sum(votes)::bigint AS votes FROM votes.tallies
     WHERE session_no = $1 GROUP BY option_no`,
    [session.session_no],
  );
  const counts = session.option_ids.map(() => 0);
  for (const { option_no, votes } of rows) counts[option_no] = votes;
  return counts;
}

/** Public keys of ballots, and of seals by the region whose ledgers sign with them. */
export async function readKeys(client: PoolClient): Promise<{
  readonly ballots: readonly PublicJwk[];
  readonly seals: readonly { readonly region: string; readonly jwk: PublicJwk }[];
}> {
  const toJwk = (x: string): PublicJwk => toPublicJwk({ kty: 'OKP', crv: 'Ed25519', x });
  const ballots = await client.query<{ x: string }>('SELECT x FROM votes.ballot_keys');
  const seals = await client.query<{ region: string; x: string }>(
    'SELECT region, x FROM votes.seal_keys',
  );
  return {
    ballots: ballots.rows.map(({ x }) => toJwk(x)),
    seals: seals.rows.map(({ region, x }) => ({ region, jwk: toJwk(x) })),
  };
}

/** Vote ids as 32 hexadecimal digits, both ends included. */
export interface VoteRange {
  readonly from: string;
  readonly to: string;
}

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

/** What the ledger kept of the records that came from logs which cannot be read any more. */
export async function readFrozen(
  client: PoolClient,
  sessionNo: number,
  regionNos: readonly number[],
  range: VoteRange,
): Promise<CountedRow[]> {
  if (regionNos.length === 0) return [];
  const { rows } = await client.query<CountedRow>(
    `SELECT vote_id, option_no, (extract(epoch FROM accepted_at) * 1000)::bigint AS accepted_at_ms
     FROM (
       SELECT vote_id, option_no, accepted_at FROM votes.votes
       WHERE session_no = $1 AND region_no = ANY ($2) AND vote_id BETWEEN $3 AND $4
       UNION ALL
       SELECT vote_id, option_no, accepted_at FROM votes.vote_conflicts
       WHERE session_no = $1 AND region_no = ANY ($2) AND vote_id BETWEEN $3 AND $4
     ) AS frozen`,
    [sessionNo, regionNos, range.from, range.to],
  );
  return rows;
}

/** Vote ids that two people took out. */
export async function readVoids(client: PoolClient, sessionNo: number): Promise<Set<string>> {
  const { rows } = await client.query<{ vote_id: string }>(
    'SELECT vote_id FROM votes.void_votes WHERE session_no = $1',
    [sessionNo],
  );
  return new Set(rows.map(({ vote_id }) => vote_id));
}

/** Where a record lies. */
export interface RecordPlace {
  readonly region_no: number;
  readonly partition: number;
  readonly offset: number;
}

/** Where the session's quarantined records lie; at most `max` of them. */
export async function readQuarantined(
  client: PoolClient,
  sessionId: string,
  max: number,
): Promise<readonly RecordPlace[]> {
  const { rows } = await client.query<RecordPlace>(
    `SELECT region_no, partition, "offset" FROM votes.quarantined_records
     WHERE session_id = $1 LIMIT $2`,
    [sessionId, max],
  );
  return rows;
}

/** The seals that the ledger went by. */
export async function readSeals(
  client: PoolClient,
  sessionNo: number,
): Promise<readonly RecordPlace[]> {
  const { rows } = await client.query<RecordPlace>(
    'SELECT region_no, partition, "offset" FROM votes.seals WHERE session_no = $1',
    [sessionNo],
  );
  return rows;
}
