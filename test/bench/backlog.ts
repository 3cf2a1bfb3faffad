import { randomBytes } from 'node:crypto';
import { sleep } from '#common/clock.ts';
import { encodeVoteRecord, voteRecordKey } from '#common/contracts/vote-submitted.ts';
import type { PartitionBatch } from '#common/log-reader.ts';
import { uuidV8 } from '#common/uuid.ts';
import type { VoteSource } from '../../regional-core/ledger/vote-source.ts';
import { createBallot, createRecord, createSigningKey } from '../support/votes.ts';

/** What intake wrote while the ledger was away: records by partition, offsets from 0. */
export type Backlog = readonly (readonly { readonly key: Buffer; readonly value: Buffer }[])[];

export const backlogKey = createSigningKey();

/** @param isSigned real ballots, 60 µs each to make; otherwise their signatures are noise */
export function makeBacklog(
  sessionId: string,
  votes: number,
  partitions: number,
  isSigned: boolean,
): Backlog {
  const log: { key: Buffer; value: Buffer }[][] = Array.from({ length: partitions }, () => []);
  const key = voteRecordKey(sessionId);
  const acceptedAtMs = Date.now();
  for (let at = 0; at < votes; at++) {
    const ballot = createBallot(sessionId, { vote_id: uuidV8(randomBytes(16)) });
    const optionNo = at % 3;
    const record = isSigned
      ? createRecord(backlogKey, ballot, optionNo, acceptedAtMs)
      : {
          key,
          value: encodeVoteRecord({
            ballot,
            sessionVersion: 1,
            optionNo,
            acceptedAtMs,
            kid: backlogKey.kid,
            signature: Buffer.alloc(64, at),
          }),
        };
    // Whole flushes of intake lie together.
    log[Math.floor(at / 512) % partitions]!.push(record);
  }
  return log;
}

/** Reads a backlog as a log reader would read Kafka, without the network. */
export class BacklogSource implements VoteSource {
  readonly #backlog: Backlog;
  readonly #isOpen: () => boolean;
  readonly #positions = new Map<number, number>();

  constructor(backlog: Backlog, isOpen: () => boolean) {
    this.#backlog = backlog;
    this.#isOpen = isOpen;
  }

  assign(positions: ReadonlyMap<number, number>): void {
    for (const held of this.#positions.keys()) {
      if (!positions.has(held)) this.#positions.delete(held);
    }
    for (const [partition, offset] of positions) {
      if (!this.#positions.has(partition)) this.#positions.set(partition, offset);
    }
  }

  async take(recordsMax: number, waitMs: number): Promise<PartitionBatch[]> {
    const batches: PartitionBatch[] = [];
    let room = this.#isOpen() ? recordsMax : 0;
    for (const [partition, from] of this.#positions) {
      const all = this.#backlog[partition]!;
      const records = all
        .slice(from, from + room)
        .map((record, at) => ({ ...record, offset: from + at }));
      if (records.length === 0) continue;
      room -= records.length;
      const next = from + records.length;
      this.#positions.set(partition, next);
      batches.push({ partition, from, next, logEnd: all.length, records });
    }
    if (batches.length === 0) await sleep(Math.min(waitMs, 20));
    return batches;
  }

  positions(): ReadonlyMap<number, number> {
    return new Map(this.#positions);
  }

  logEnds(): ReadonlyMap<number, number> {
    const held = [...this.#positions.keys()];
    return new Map(held.map((partition) => [partition, this.#backlog[partition]!.length]));
  }
}
