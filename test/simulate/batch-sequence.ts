import type { CountBatch } from '../../regional-core/ledger/batch.ts';
import type { LogIdentity } from '../../regional-core/ledger/sql/count-batch.ts';
import type { Random } from './random.ts';
import { voteIdOf } from './world.ts';

interface Lease {
  readonly log: LogIdentity;
  readonly worker: string;
  readonly epochMin: number;
}

/** One call of a store, to be made of two of them. */
export type Step =
  | { readonly do: 'count'; log: LogIdentity; epochMin: number; batch: CountBatch }
  | { readonly do: 'settle' }
  | ({ readonly do: 'lease'; layoutReadAtMs: number } & Lease)
  | ({ readonly do: 'release' } & Pick<Lease, 'log' | 'worker'>)
  | { readonly do: 'unsealed'; log: LogIdentity };

export interface SequenceParts {
  readonly random: Random;
  readonly sessionId: string;
  readonly closesAtMs: number;
  /** Seals are written from here on, within a few ms. */
  readonly sealsAtMs: number;
  readonly options: number;
  readonly logs: readonly LogIdentity[];
  readonly partitions: number;
  readonly epoch: number;
  /** Where the next batch of a partition must start. */
  readonly next: (logNo: number, partition: number) => number;
}

const workers = ['00000000-0000-8000-8000-00000000000a', '00000000-0000-8000-8000-00000000000b'];
const voters = 5;

/**
 * A session's life in random steps: batches of votes (again, with other options, late, forged,
 * unreadable), seals, results; batches from a wrong place, of another log, with a hole, for an old
 * writer; leases. Steps are made one at a time, because a batch follows from the offsets.
 */
export function* randomSteps(parts: SequenceParts): Generator<Step> {
  const { random, logs } = parts;
  const steps = random.whole(6, 12);
  for (let at = 0; at < steps; at++) yield randomStep(parts);
  if (random.chance(0.15)) return;
  for (const log of logs) {
    yield count(parts, log, sealAll(parts, log));
    yield lease(parts, log);
  }
  yield { do: 'settle' };
  for (let at = random.whole(0, 3); at > 0; at--) yield randomStep(parts);
}

function randomStep(parts: SequenceParts): Step {
  const { random, logs } = parts;
  const log = random.pick(logs);
  if (random.chance(0.08)) return lease(parts, log);
  if (random.chance(0.05)) return { do: 'release', log, worker: random.pick(workers) };
  if (random.chance(0.05)) return { do: 'unsealed', log };
  if (random.chance(0.05)) return { do: 'settle' };
  return count(parts, log, randomBatch(parts, log));
}

/** Sometimes for an old writer, and of a log that was asked for its partitions before the seals. */
function lease({ random, epoch, sealsAtMs }: SequenceParts, log: LogIdentity): Step {
  const worker = random.pick(workers);
  const epochMin = random.chance(0.95) ? epoch : epoch + 1;
  const layoutReadAtMs = sealsAtMs + (random.chance(0.95) ? 5 : 0);
  return { do: 'lease', log, worker, epochMin, layoutReadAtMs };
}

function count({ random, epoch }: SequenceParts, log: LogIdentity, batch: CountBatch): Step {
  const other = { ...log, clusterId: 'another' };
  const epochMin = random.chance(0.95) ? epoch : epoch + 1;
  return { do: 'count', log: random.chance(0.96) ? log : other, epochMin, batch };
}

type Writable<T> = { -readonly [K in keyof T]: T[K] extends readonly (infer E)[] ? E[] : T[K] };

function emptyBatch(parts: SequenceParts): Writable<CountBatch> {
  return {
    partitions: { partition: [], from: [], next: [], logEnd: [] },
    sessions: [parts.sessionId, '00000000-0000-8000-8000-0000000000ff'],
    votes: { sessionAt: [], voteId: [], optionNo: [], acceptedAtMs: [], partition: [], offset: [] },
    unreadable: { sessionId: [], partition: [], offset: [], reason: [], key: [], value: [] },
    seals: [],
    finals: [],
  };
}

function randomBatch(parts: SequenceParts, log: LogIdentity): CountBatch {
  const { random, partitions } = parts;
  const batch = emptyBatch(parts);
  const columns = batch.partitions as { [K in keyof CountBatch['partitions']]: number[] };
  for (let partition = 0; partition < partitions; partition++) {
    if (random.chance(0.4)) continue;
    // Sometimes from a place that is not the next one: a worker that was left behind.
    const from = parts.next(log.regionNo, partition) + (random.chance(0.97) ? 0 : 1);
    const records = random.whole(1, 6);
    for (let at = 0; at < records; at++) addRecord(parts, batch, partition, from + at);
    columns.partition.push(partition);
    columns.from.push(from);
    columns.next.push(from + records + (random.chance(0.98) ? 0 : 1));
    columns.logEnd.push(from + records + random.whole(0, 3));
  }
  return batch;
}

function addRecord(
  parts: SequenceParts,
  batch: Writable<CountBatch>,
  partition: number,
  offset: number,
): void {
  const { random, sessionId } = parts;
  const kind = random.fraction();
  if (kind < 0.06) {
    const { unreadable } = batch;
    unreadable.sessionId.push(random.pick([sessionId, null]));
    unreadable.partition.push(partition);
    unreadable.offset.push(offset);
    unreadable.reason.push('ballot signature is not valid');
    unreadable.key.push(random.pick([null, random.bytes(16)]));
    unreadable.value.push(random.bytes(9));
  } else if (kind < 0.09) {
    batch.seals.push(seal(parts, partition, offset, random.whole(0, 1)));
  } else if (kind < 0.11) {
    batch.finals.push(final(parts, partition, offset));
  } else {
    const { votes } = batch;
    votes.sessionAt.push(random.chance(0.97) ? 1 : 2);
    votes.voteId.push(voteIdOf(random.whole(0, voters - 1)));
    votes.optionNo.push(random.chance(0.95) ? random.whole(0, parts.options - 1) : parts.options);
    votes.acceptedAtMs.push(parts.closesAtMs + random.whole(-9, 1));
    votes.partition.push(partition);
    votes.offset.push(offset);
  }
}

function sealAll(parts: SequenceParts, log: LogIdentity): CountBatch {
  const batch = emptyBatch(parts);
  const columns = batch.partitions as { [K in keyof CountBatch['partitions']]: number[] };
  for (let partition = 0; partition < parts.partitions; partition++) {
    const from = parts.next(log.regionNo, partition);
    batch.seals.push(seal(parts, partition, from, 0));
    columns.partition.push(partition);
    columns.from.push(from);
    columns.next.push(from + 1);
    columns.logEnd.push(from + 1);
  }
  return batch;
}

function seal(
  { sessionId, closesAtMs, sealsAtMs, random }: SequenceParts,
  partition: number,
  offset: number,
  tooLateMs: number,
): CountBatch['seals'][number] {
  return {
    sessionId: random.chance(0.98) ? sessionId : '00000000-0000-8000-8000-0000000000ff',
    partition,
    offset,
    closesAtMs: closesAtMs + tooLateMs,
    sealedAtMs: sealsAtMs + random.whole(0, 2),
    kid: 'kid',
    signature: Buffer.alloc(64),
  };
}

function final(
  { sessionId, random }: SequenceParts,
  partition: number,
  offset: number,
): CountBatch['finals'][number] {
  const digest = random.pick(['aa', 'bb']).repeat(32);
  const act = JSON.stringify({ act: 'finalise', digest, counts: [0], total: 0 });
  const statement = Buffer.from(JSON.stringify({ act, signatures: [] }));
  return { sessionId, partition, offset, digest, statement };
}
