import type { PostgresPair } from '../lab/postgres-pair.ts';
import type { Place, VoteRow } from './evidence.ts';

type Verdicts = Record<
  'counted' | 'duplicate' | 'replayed' | 'late' | 'quarantined' | 'control',
  number
>;

export interface Books {
  readonly optionIds: string[];
  readonly closesAtMs: number;
  readonly sealedAtMs: number | undefined;
  readonly rows: VoteRow[];
  readonly conflicts: VoteRow[];
  readonly late: VoteRow[];
  readonly quarantined: Place[];
  readonly voids: Set<string>;
  readonly tallies: Map<number, number>;
  readonly verdicts: Verdicts;
  readonly partitions: { log: string; partition: number; nextOffset: number; judged: number }[];
  /** Declared lost, or standbys of regions that were not. */
  readonly unreadLogs: Set<string>;
}

const rowColumns = `v.vote_id AS "voteId", v.option_no::int AS "optionNo", region AS log,
  v.partition::int AS partition, v."offset",
  (extract(epoch FROM v.accepted_at) * 1000)::bigint AS "acceptedAtMs"`;

interface SessionRow {
  readonly no: number;
  readonly optionIds: string[];
  readonly closes: number;
  readonly sealed: number | null;
}

/** What Postgres says of a session, and of every log. */
export async function readBooks(postgres: PostgresPair, sessionId: string): Promise<Books> {
  const [session] = await postgres.run<SessionRow>(
    `SELECT session_no AS no, jsonb_path_query_array(options, '$[*].option_id') AS "optionIds",
      (extract(epoch FROM closes_at) * 1000)::bigint AS closes,
      (extract(epoch FROM sealed_at) * 1000)::bigint AS sealed
     FROM votes.voting_sessions WHERE session_id = $1`,
    [sessionId],
  );
  if (session === undefined) throw new Error(`Postgres has no session ${sessionId}`);
  const rowsOf = (table: string): Promise<VoteRow[]> =>
    postgres.run<VoteRow>(
      `SELECT ${rowColumns} FROM votes.${table} v JOIN votes.regions USING (region_no)
       WHERE session_no = $1`,
      [session.no],
    );
  const tallies = await postgres.run<{ optionNo: number; votes: number }>(
    `SELECT option_no::int AS "optionNo", sum(votes)::bigint AS votes FROM votes.tallies
     WHERE session_no = $1 GROUP BY option_no`,
    [session.no],
  );
  const [verdicts] = await postgres.run<Verdicts>(
    `SELECT ${['counted', 'duplicate', 'replayed', 'late', 'quarantined', 'control']
      .map((name) => `coalesce(sum(${name}), 0)::bigint AS ${name}`)
      .join(', ')}
     FROM votes.verdicts WHERE session_no = $1`,
    [session.no],
  );
  const voids = await postgres.run<{ id: string }>(
    'SELECT vote_id AS id FROM votes.void_votes WHERE session_no = $1',
    [session.no],
  );
  const unread = await postgres.run<{ region: string }>(
    `SELECT r.region FROM votes.regions r
     LEFT JOIN votes.regions own ON own.region_no = r.stands_for
     WHERE r.lost_at IS NOT NULL OR (own.region_no IS NOT NULL AND own.lost_at IS NULL)`,
  );
  return {
    optionIds: session.optionIds,
    closesAtMs: session.closes,
    sealedAtMs: session.sealed ?? undefined,
    rows: await rowsOf('votes'),
    conflicts: await rowsOf('vote_conflicts'),
    late: await rowsOf('late_votes'),
    quarantined: await readQuarantined(postgres, sessionId),
    voids: new Set(voids.map(({ id }) => id)),
    tallies: new Map(tallies.map(({ optionNo, votes }) => [optionNo, votes])),
    verdicts: verdicts!,
    partitions: await readPartitions(postgres),
    unreadLogs: new Set(unread.map(({ region }) => region)),
  };
}

function readQuarantined(postgres: PostgresPair, sessionId: string): Promise<Place[]> {
  return postgres.run<Place>(
    `SELECT region AS log, partition::int AS partition, "offset"
     FROM votes.quarantined_records JOIN votes.regions USING (region_no) WHERE session_id = $1`,
    [sessionId],
  );
}

/** How far each partition was read, and how many of its records were judged. */
export function readPartitions(postgres: PostgresPair): Promise<Books['partitions']> {
  return postgres.run(
    `SELECT region AS log, o.partition::int AS partition, o.next_offset AS "nextOffset",
      coalesce(sum(counted + duplicate + replayed + late + quarantined + control), 0)::bigint
        AS judged
     FROM votes.offsets o JOIN votes.regions USING (region_no)
     LEFT JOIN votes.verdicts v ON v.region_no = o.region_no AND v.partition = o.partition
     GROUP BY region, o.partition, o.next_offset`,
  );
}
