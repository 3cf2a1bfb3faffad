import {
  decodeFinalRecord,
  type FinalStatement,
  finalRecordKind,
} from '#common/contracts/final.ts';
import { decodeSeal, type SignedSeal, sealRecordKind } from '#common/contracts/seal.ts';
import {
  decodeVoteRecord,
  sessionOfKey,
  type VoteRecord,
} from '#common/contracts/vote-submitted.ts';
import type { LogRecord, PartitionBatch } from '#common/log-reader.ts';

/**
 * What one call of `votes.count_batch` takes: columns, not rows, because Postgres reads arrays. The
 * groups belong together by position.
 */
export interface CountBatch {
  readonly partitions: Column<'partition' | 'from' | 'next' | 'logEnd', number>;
  readonly sessions: readonly string[];
  readonly votes: {
    /** Position in `sessions`, from 1. */
    readonly sessionAt: number[];
    readonly voteId: string[];
    readonly optionNo: number[];
    readonly acceptedAtMs: number[];
    readonly partition: number[];
    readonly offset: number[];
  };
  /** Records that cannot be read, or not be believed: quarantined whole, in the same call. */
  readonly unreadable: {
    readonly sessionId: (string | null)[];
    readonly partition: number[];
    readonly offset: number[];
    readonly reason: string[];
    readonly key: (Buffer | null)[];
    readonly value: (Buffer | null)[];
  };
  /** Verified control records, rare: rows, in order of partition and offset. */
  readonly seals: readonly BatchSeal[];
  readonly finals: readonly BatchFinal[];
}

/**
 * A seal whose signature is good. The store still decides whether it counts: the first of its
 * session in the partition does, if its closing time is the session's.
 */
export interface BatchSeal {
  readonly sessionId: string;
  readonly partition: number;
  readonly offset: number;
  readonly closesAtMs: number;
  readonly sealedAtMs: number;
  readonly kid: string;
  readonly signature: Buffer;
}

/** A final statement that two people are known to have signed; `digest` is the one it declares. */
export interface BatchFinal {
  readonly sessionId: string;
  readonly partition: number;
  readonly offset: number;
  /** Hex. */
  readonly digest: string;
  /** The statement's JSON, as it stands in the log. */
  readonly statement: Buffer;
}

type Column<Names extends string, T> = Readonly<Record<Names, readonly T[]>>;

/** A hole or a repetition in what the log gave: reading on would lose or invent a vote. */
export class SparseBatchError extends Error {
  readonly partition: number;
  constructor(partition: number, expected: number, found: number) {
    super(`partition ${partition}: expected offset ${expected}, read ${found}`);
    this.name = 'SparseBatchError';
    this.partition = partition;
  }
}

/** A record of the log with its place. */
interface Placed {
  readonly partition: number;
  readonly raw: LogRecord;
}

/** A seal or a final statement, as the log holds it: nothing about it is verified yet. */
export type ControlRecord = Placed &
  (
    | { readonly kind: 'seal'; readonly seal: SignedSeal }
    | { readonly kind: 'final'; readonly sessionId: string; readonly final: FinalStatement }
  );

/** What was read of several partitions, each record taken for what it says it is. */
export interface DecodedRecords {
  /** In order of partitions. */
  readonly parts: readonly PartitionBatch[];
  readonly votes: readonly (Placed & { readonly record: VoteRecord })[];
  readonly controls: readonly ControlRecord[];
  readonly unreadable: readonly Unreadable[];
}

type Unreadable = Placed & { readonly reason: string };

/** For each record, by position, why it cannot be believed; undefined when it can. */
export type Faults = readonly (string | undefined)[];

/**
 * Decodes what was read. Throws SparseBatchError when a partition's offsets are not dense: this log
 * has neither transactions nor compaction.
 */
export function decodeRecords(read: readonly PartitionBatch[]): DecodedRecords {
  const parts = read.toSorted((a, b) => a.partition - b.partition);
  const votes: (Placed & { record: VoteRecord })[] = [];
  const controls: ControlRecord[] = [];
  const unreadable: Unreadable[] = [];
  for (const part of parts) {
    assertDense(part);
    const { partition } = part;
    for (const raw of part.records) {
      const placed = { partition, raw };
      const control = decodeControl(placed);
      if (control !== undefined) {
        if ('reason' in control) unreadable.push(control);
        else controls.push(control);
        continue;
      }
      const record = decodeVoteRecord(raw.key, raw.value);
      if ('unreadable' in record) unreadable.push({ ...placed, reason: record.unreadable });
      else votes.push({ ...placed, record });
    }
  }
  return { parts, votes, controls, unreadable };
}

/** Reads a record of a kind that is not a vote's; undefined when it is none. */
function decodeControl(placed: Placed): ControlRecord | Unreadable | undefined {
  const { key, value } = placed.raw;
  const kind = value?.[0];
  const sessionId = sessionOfKey(key);
  if (!value || sessionId === undefined) return undefined;
  if (kind === sealRecordKind) {
    const seal = decodeSeal(sessionId, value);
    return seal ? { ...placed, kind: 'seal', seal } : { ...placed, reason: 'not a seal' };
  }
  if (kind !== finalRecordKind) return undefined;
  const final = decodeFinalRecord(value);
  if (final === undefined) return { ...placed, reason: 'not a final statement' };
  return { ...placed, kind: 'final', sessionId, final };
}

/** Puts decoded records into one batch. */
export function toCountBatch(
  decoded: DecodedRecords,
  faults: { readonly votes: Faults; readonly controls: Faults } = { votes: [], controls: [] },
): CountBatch {
  const { parts } = decoded;
  const batch: CountBatch = {
    partitions: {
      partition: parts.map(({ partition }) => partition),
      from: parts.map(({ from }) => from),
      next: parts.map(({ next }) => next),
      logEnd: parts.map(({ logEnd }) => logEnd),
    },
    sessions: [],
    votes: {
      sessionAt: [],
      voteId: [],
      optionNo: [],
      acceptedAtMs: [],
      partition: [],
      offset: [],
    },
    unreadable: { sessionId: [], partition: [], offset: [], reason: [], key: [], value: [] },
    ...toControls(decoded, faults.controls),
  };
  const sessionAt = new Map<string, number>();
  const { votes } = batch;
  for (const [at, { partition, raw, record }] of decoded.votes.entries()) {
    const fault = faults.votes[at];
    if (fault !== undefined) {
      addUnreadable(batch, { partition, raw, reason: fault });
      continue;
    }
    const { session_id, vote_id } = record.ballot;
    if (!sessionAt.has(session_id)) sessionAt.set(session_id, sessionAt.size + 1);
    votes.sessionAt.push(sessionAt.get(session_id)!);
    votes.voteId.push(vote_id);
    votes.optionNo.push(record.optionNo);
    votes.acceptedAtMs.push(record.acceptedAtMs);
    votes.partition.push(partition);
    votes.offset.push(raw.offset);
  }
  for (const [at, control] of decoded.controls.entries()) {
    const reason = faults.controls[at];
    if (reason !== undefined) addUnreadable(batch, { ...control, reason });
  }
  for (const record of decoded.unreadable) addUnreadable(batch, record);
  return { ...batch, sessions: [...sessionAt.keys()] };
}

function toControls(
  { controls }: DecodedRecords,
  faults: Faults,
): Pick<CountBatch, 'seals' | 'finals'> {
  const seals: BatchSeal[] = [];
  const finals: BatchFinal[] = [];
  for (const [at, control] of controls.entries()) {
    if (faults[at] !== undefined) continue;
    const place = { partition: control.partition, offset: control.raw.offset };
    if (control.kind === 'seal') {
      const { sessionId, closesAtMs, sealedAtMs, kid, signature } = control.seal;
      seals.push({ sessionId, ...place, closesAtMs, sealedAtMs, kid, signature });
    } else {
      const { sessionId, final, raw } = control;
      // The value without its kind is the statement's JSON.
      const statement = raw.value!.subarray(1);
      finals.push({ sessionId, ...place, digest: final.act.digest, statement });
    }
  }
  return { seals, finals };
}

function addUnreadable({ unreadable }: CountBatch, { partition, raw, reason }: Unreadable): void {
  unreadable.sessionId.push(sessionOfKey(raw.key) ?? null);
  unreadable.partition.push(partition);
  unreadable.offset.push(raw.offset);
  unreadable.reason.push(reason);
  unreadable.key.push(raw.key);
  unreadable.value.push(raw.value);
}

function assertDense({ partition, from, next, records }: PartitionBatch): void {
  for (const [index, { offset }] of records.entries()) {
    if (offset !== from + index) throw new SparseBatchError(partition, from + index, offset);
  }
  if (next !== from + records.length) {
    throw new SparseBatchError(partition, from + records.length, next);
  }
}
