import { randomUUID } from 'node:crypto';
import { encodeSeal } from '#common/contracts/seal.ts';
import { voteRecordKey } from '#common/contracts/vote-submitted.ts';
import type { SigningKey } from '#common/keys.ts';
import type { LogRecord, PartitionBatch } from '#common/log-reader.ts';
import type { Pool } from '#common/postgres.ts';
import { regionNo } from '#common/region-no.ts';
import {
  type CountBatch,
  decodeRecords,
  toCountBatch,
} from '../../../regional-core/ledger/batch.ts';
import type { LogLayout } from '../../../regional-core/ledger/ledger-store.ts';
import {
  type BatchVerdicts,
  countBatch,
  type LogIdentity,
} from '../../../regional-core/ledger/sql/count-batch.ts';
import { leasePartitions } from '../../../regional-core/ledger/sql/lease-partitions.ts';
import {
  listReadThrough,
  settleSession,
} from '../../../regional-core/ledger/sql/settle-session.ts';
import { createBallot, createRecord, createSigningKey } from '../../support/votes.ts';

/** A record as it is sent. */
export type Sent = { readonly key: Buffer; readonly value: Buffer };

const ballotKey = createSigningKey();
const sealKey: SigningKey = createSigningKey();

export function voteOf(
  sessionId: string,
  voteId: string,
  optionNo: number,
  acceptedAtMs = Date.now(),
): Sent {
  return createRecord(
    ballotKey,
    createBallot(sessionId, { vote_id: voteId }),
    optionNo,
    acceptedAtMs,
  );
}

export function sealOf(
  sessionId: string,
  log: string,
  partition: number,
  closesAtMs: number,
  sealedAtMs = closesAtMs + 6000,
): Sent {
  const seal = { sessionId, log, partition, sessionVersion: 1, closesAtMs };
  return {
    key: voteRecordKey(sessionId),
    value: encodeSeal({ ...seal, sealedAtMs }, sealKey),
  };
}

export function partOf(partition: number, from: number, sent: readonly Sent[]): PartitionBatch {
  const records: LogRecord[] = sent.map((record, at) => ({ ...record, offset: from + at }));
  return { partition, from, next: from + sent.length, logEnd: from + sent.length, records };
}

export function batchOf(parts: readonly PartitionBatch[]): CountBatch {
  return toCountBatch(decodeRecords(parts));
}

/** A log that was asked for its partitions just now. */
export const layoutOf = (partitions: number): LogLayout => ({ partitions, readAtMs: Date.now() });

/** Settles every session that was read through; gives those that this call settled. */
export async function settleSessions(pool: Pool): Promise<string[]> {
  const settled: string[] = [];
  for (const sessionId of await listReadThrough(pool)) {
    if (await settleSession(pool, sessionId, new AbortController().signal)) settled.push(sessionId);
  }
  return settled;
}

/** A region's log that lies in no Kafka: what is appended is counted at once, a batch a call. */
export class LogOfVotes {
  readonly name: string;
  readonly identity: LogIdentity;
  readonly next: number[];
  readonly #pool: Pool;

  private constructor(pool: Pool, name: string, identity: LogIdentity, partitions: number) {
    this.#pool = pool;
    this.name = name;
    this.identity = identity;
    this.next = Array.from({ length: partitions }, () => 0);
  }

  static async open(pool: Pool, name: string, partitions: number): Promise<LogOfVotes> {
    return LogOfVotes.openAs(pool, name, await regionNo(pool, name), partitions);
  }

  static async openAs(
    pool: Pool,
    name: string,
    number: number,
    partitions: number,
  ): Promise<LogOfVotes> {
    const identity = { regionNo: number, clusterId: 'cluster', topicId: randomUUID() };
    const log = new LogOfVotes(pool, name, identity, partitions);
    await log.lease();
    return log;
  }

  lease(epochMin = 1, layout = layoutOf(this.next.length)) {
    const request = { id: randomUUID(), layout, ttlMs: 5000, epochMin };
    return leasePartitions(this.#pool, this.identity, request);
  }

  /** Counts records appended to partitions, [partition, …records] each. */
  async count(
    appended: readonly (readonly [number, ...Sent[]])[],
    epochMin = 1,
  ): Promise<BatchVerdicts> {
    const parts = appended.map(([partition, ...sent]) =>
      partOf(partition, this.next[partition]!, sent),
    );
    const verdicts = await countBatch(this.#pool, this.identity, epochMin, batchOf(parts));
    if (!verdicts.fenced) for (const part of parts) this.next[part.partition] = part.next;
    return verdicts;
  }
}

/** Rows, tallies, verdicts and offsets agree after every call; gives what differs. */
export async function differences(pool: Pool): Promise<unknown[]> {
  const { rows } = await pool.query(`
    SELECT 'tallies' AS what, session_no AS at, tallied AS one, counted AS other FROM (
      SELECT session_no, option_no, sum(votes) AS tallied FROM votes.tallies GROUP BY 1, 2) t
    FULL JOIN (
      SELECT v.session_no, v.option_no, count(*) AS counted FROM votes.votes v
      LEFT JOIN votes.void_votes void USING (session_no, vote_id)
      WHERE void.vote_id IS NULL GROUP BY 1, 2) c USING (session_no, option_no)
    WHERE coalesce(tallied, 0) <> coalesce(counted, 0)
    UNION ALL
    SELECT 'verdicts', region_no, next_offset, judged FROM votes.offsets JOIN (
      SELECT region_no, partition,
        sum(counted + duplicate + replayed + late + quarantined + control) AS judged
      FROM votes.verdicts GROUP BY 1, 2) v USING (region_no, partition)
    WHERE next_offset <> judged`);
  return rows;
}
