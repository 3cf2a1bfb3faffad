import type { Pool } from '#common/postgres.ts';
import type { CountBatch } from '../batch.ts';

/** A region's log, as offsets know it: offsets of another cluster or topic name other records. */
export interface LogIdentity {
  readonly regionNo: number;
  readonly clusterId: string;
  readonly topicId: string;
}

/** How many records of the batch ended how. `fenced`: another worker was here; nothing changed. */
export interface BatchVerdicts {
  readonly fenced: boolean;
  readonly counted: number;
  readonly duplicate: number;
  readonly replayed: number;
  readonly late: number;
  readonly quarantined: number;
}

/**
 * The ledger's one transaction: one call, one round trip. When it rejects, it is unknown whether
 * the batch was committed: the caller reads the offsets before anything else.
 */
export async function countBatch(
  pool: Pool,
  log: LogIdentity,
  batch: CountBatch,
): Promise<BatchVerdicts> {
  const { partitions, sessions, votes, unreadable } = batch;
  const { rows } = await pool.query<BatchVerdicts>({
    name: 'count_batch',
    text: `SELECT * FROM votes.count_batch($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13,
      $14, $15, $16, $17, $18, $19, $20)`,
    values: [
      log.regionNo,
      log.clusterId,
      log.topicId,
      partitions.partition,
      partitions.from,
      partitions.next,
      partitions.logEnd,
      sessions,
      votes.sessionAt,
      votes.voteId,
      votes.optionNo,
      votes.acceptedAtMs,
      votes.partition,
      votes.offset,
      unreadable.sessionId,
      unreadable.partition,
      unreadable.offset,
      unreadable.reason,
      unreadable.key,
      unreadable.value,
    ],
  });
  return rows[0]!;
}
