import type { Pool } from '#common/postgres.ts';
import type { BatchFinal, BatchSeal, CountBatch } from '../batch.ts';

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
  /** Seals and final statements. */
  readonly control: number;
}

/**
 * The ledger's one transaction: one call, one round trip. When it rejects, it is unknown whether
 * the batch was committed: the caller reads the offsets before anything else.
 */
export async function countBatch(
  pool: Pool,
  log: LogIdentity,
  epochMin: number,
  batch: CountBatch,
): Promise<BatchVerdicts> {
  const { partitions, sessions, votes, unreadable, seals, finals } = batch;
  const { rows } = await pool.query<BatchVerdicts>({
    name: 'count_batch',
    text: `SELECT * FROM votes.count_batch($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13,
      $14, $15, $16, $17, $18, $19, $20, $21, $22, $23)`,
    values: [
      log.regionNo,
      log.clusterId,
      log.topicId,
      epochMin,
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
      JSON.stringify(seals.map(sealRow)),
      JSON.stringify(finals.map(finalRow)),
    ],
  });
  return rows[0]!;
}

function sealRow({ sessionId, partition, offset, ...seal }: BatchSeal): Record<string, unknown> {
  return {
    session_id: sessionId,
    partition,
    offset,
    closes_at_ms: seal.closesAtMs,
    sealed_at_ms: seal.sealedAtMs,
    kid: seal.kid,
    signature: seal.signature.toString('hex'),
  };
}

function finalRow({ sessionId, partition, offset, ...final }: BatchFinal): Record<string, unknown> {
  return {
    session_id: sessionId,
    partition,
    offset,
    digest: final.digest,
    statement: final.statement.toString('hex'),
  };
}
