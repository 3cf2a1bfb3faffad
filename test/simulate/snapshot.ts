import type { Pool } from '#common/postgres.ts';
import { digestOf } from './model/results.ts';
import type { State } from './model/state.ts';

/** Everything that a store holds of one session, in one form for both stores. */
export interface Snapshot {
  /** vote id, option, ms, log, partition, offset. */
  readonly rows: readonly string[];
  /** option, log, partition, votes. */
  readonly tallies: readonly string[];
  /** log, partition, the six verdicts, first and next offset. */
  readonly verdicts: readonly string[];
  readonly conflicts: readonly string[];
  readonly late: readonly string[];
  readonly seals: readonly string[];
  /** log, partition, offset, reason: of all sessions. */
  readonly quarantined: readonly string[];
  /** log, partition, next offset, log end: of all sessions. */
  readonly offsets: readonly string[];
  readonly corrections: readonly string[];
  readonly digest: string;
  readonly isSealed: boolean;
  readonly version: number;
  /** Digest of the final result. */
  readonly final: string | null;
}

const rowsSql = `vote_id || ' ' || option_no || ' ' ||
  (extract(epoch FROM accepted_at) * 1000)::bigint || ' ' ||
  region_no || '/' || partition || '/' || "offset"`;

/** @param isWhole false: without what belongs to all sessions, which grows */
export async function readSnapshot(
  pool: Pool,
  sessionNo: number,
  isWhole: boolean,
): Promise<Snapshot> {
  const list = async (what: string, from: string, where = 'session_no = $1'): Promise<string[]> => {
    const text = `SELECT ${what} AS line FROM votes.${from} WHERE ${where}`;
    const { rows } = await pool.query<{ line: string }>(text, where === 'true' ? [] : [sessionNo]);
    return rows.map(({ line }) => line).toSorted();
  };
  const [session] = (
    await pool.query<{ digest: string; sealed: boolean; version: number; final: string | null }>(
      `SELECT votes.result_digest($1) AS digest, sealed_at IS NOT NULL AS sealed, version,
        (convert_from(final_statement, 'UTF8')::jsonb ->> 'act')::jsonb ->> 'digest' AS final
       FROM votes.voting_sessions WHERE session_no = $1`,
      [sessionNo],
    )
  ).rows;
  const place = `region_no || '/' || partition`;
  const counts = ['counted', 'duplicate', 'replayed', 'late', 'quarantined', 'control'];
  const everywhere = async (what: string, from: string): Promise<string[]> =>
    isWhole ? list(what, from, 'true') : [];
  const verdicts = `${place} || ' ' || concat_ws(' ', ${counts.join()}, first_offset, next_offset)`;
  const lists = await Promise.all([
    list(rowsSql, 'votes'),
    list(`option_no || ' ' || ${place} || ' ' || votes`, 'tallies'),
    list(verdicts, 'verdicts'),
    list(rowsSql, 'vote_conflicts'),
    list(rowsSql, 'late_votes'),
    list(`${place} || '/' || "offset"`, 'seals'),
    list(`kind || ' ' || moved`, 'corrections'),
    everywhere(`${place} || '/' || "offset" || ' ' || reason`, 'quarantined_records'),
    everywhere(`${place} || ' ' || next_offset || ' ' || log_end`, 'offsets'),
  ]);
  return {
    rows: lists[0],
    tallies: lists[1],
    verdicts: lists[2],
    conflicts: lists[3],
    late: lists[4],
    seals: lists[5],
    corrections: lists[6],
    quarantined: lists[7],
    offsets: lists[8],
    digest: session!.digest,
    isSealed: session!.sealed,
    version: session!.version,
    final: session!.final,
  };
}

export function takeSnapshot(state: State, sessionNo: number, isWhole: boolean): Snapshot {
  const session = [...state.sessions.values()].find(({ no }) => no === sessionNo)!;
  const votes = state.votes.get(sessionNo) ?? new Map();
  const line = (voteId: string, row: RecordLike): string =>
    `${voteId} ${row.optionNo} ${row.acceptedAtMs} ${row.logNo}/${row.partition}/${row.offset}`;
  const ofSession = <T>(map: ReadonlyMap<string, T>): (readonly [rest: string[], value: T])[] =>
    [...map]
      .map(([key, value]) => [key.split(':'), value] as const)
      .filter(([[first]]) => Number(first) === sessionNo)
      .map(([[, ...rest], value]) => [rest, value] as const);
  const late = [...state.late].filter(([, of]) => of.sessionNo === sessionNo);
  return {
    rows: [...votes].map(([voteId, row]) => line(voteId, row)).toSorted(),
    tallies: ofSession(state.tallies)
      .map(([[option, logNo, partition], n]) => `${option} ${logNo}/${partition} ${n}`)
      .toSorted(),
    verdicts: ofSession(state.verdicts)
      .map(([[logNo, partition], row]) => {
        const { counted, duplicate, replayed, late: came, quarantined, control } = row;
        const numbers = [counted, duplicate, replayed, came, quarantined, control];
        return `${logNo}/${partition} ${[...numbers, row.first, row.next].join(' ')}`;
      })
      .toSorted(),
    conflicts: ofSession(state.conflicts)
      .flatMap(([[voteId], rows]) => rows.map((row) => line(voteId!, row)))
      .toSorted(),
    late: late
      .map(([key, { voteId, ...row }]) => {
        const [logNo, partition, offset] = key.split(':').map(Number);
        const place = { logNo: logNo!, partition: partition!, offset: offset! };
        return line(voteId, { ...row, ...place });
      })
      .toSorted(),
    seals: ofSession(state.seals)
      .map(([[logNo, partition], offset]) => `${logNo}/${partition}/${offset}`)
      .toSorted(),
    quarantined: [...(isWhole ? state.quarantined : [])]
      .map(([key, reason]) => `${key.replaceAll(':', '/')} ${reason}`)
      .toSorted(),
    offsets: [...(isWhole ? state.offsets.values() : [])]
      .map(({ logNo, partition, next, logEnd }) => `${logNo}/${partition} ${next} ${logEnd}`)
      .toSorted(),
    corrections: ofSession(state.corrections).map(([[kind], { moved }]) => `${kind} ${moved}`),
    digest: digestOf(session, votes),
    isSealed: session.sealedAtMs !== null,
    version: session.version,
    final: session.final?.digest ?? null,
  };
}

interface RecordLike {
  readonly optionNo: number;
  readonly acceptedAtMs: number;
  readonly logNo: number;
  readonly partition: number;
  readonly offset: number;
}
