import { isUuid } from '../uuid.ts';

/**
 * A message of the topic `vote-aggregated` (compacted, keyed by the session's id): the totals of
 * one session over all regions, together with the log positions they cover, read in one statement.
 */
export interface TotalsMessage {
  readonly v: 1;
  readonly session_id: string;
  readonly epoch: number;
  /** Of the server that was read: it rises with every promotion. Absent where none is told. */
  readonly timeline?: number;
  /** See `totalsSequence`: a function of the state, so two publishers and a restart agree. */
  readonly sequence: number;
  readonly total_votes: number;
  /** One count per option, in the session's order; null while nobody may see them. */
  readonly counts: readonly number[] | null;
  readonly covers: Covers;
  /** Transactions over all sessions that changed counts otherwise than by counting a vote. */
  readonly corrections?: number;
  /** Those of this session, oldest first: only they can make a total fall. */
  readonly corrected?: readonly Correction[];
  /** When the statement was read, ms. */
  readonly at_ms: number;
}

/**
 * `seal`: the earliest choice of each voter; `void`, `restore`: by two people, in the open;
 * `replay`: a fail-over lost what was counted, and counted again another choice of a voter came
 * first.
 */
export const correctionKinds = ['seal', 'void', 'restore', 'replay'] as const;

/**
 * A correction of one session, as results show it. `at_ms` is when it was committed; of a `replay`,
 * which no row in the database tells of, when the publisher met the fallen count.
 */
export interface Correction {
  readonly kind: (typeof correctionKinds)[number];
  readonly at_ms: number;
  /** Votes whose option changed, or that were taken out or put back. */
  readonly moved: number;
}

/** log → next offset per partition, as the ledger has read them; a log is a region or a standby. */
export type Covers = Readonly<Record<string, readonly number[]>>;

/** True when the ledger has read past this place: the vote that lies there has its verdict. */
export function coversOffset(
  covers: Covers,
  place: { region: string; partition: number; offset: number },
): boolean {
  return (covers[place.region]?.[place.partition] ?? 0) > place.offset;
}

/** True when no partition of `next` lies behind `held`: only then may it be published after it. */
export function coversAtLeast(next: Covers, held: Covers): boolean {
  return Object.entries(held).every(([region, offsets]) =>
    offsets.every((offset, partition) => (next[region]?.[partition] ?? 0) >= offset),
  );
}

/**
 * epoch·2^40 + Σ offsets + corrections. 2^40 offsets an epoch are 1,000 times the largest event;
 * 2^13 epochs fit a safe integer. Throws a RangeError past that.
 */
export function totalsSequence(epoch: number, covers: Covers, corrections: number): number {
  let offsets = corrections;
  for (const region of Object.values(covers)) for (const offset of region) offsets += offset;
  const sequence = epoch * 2 ** 40 + offsets;
  if (offsets >= 2 ** 40 || !Number.isSafeInteger(sequence)) {
    throw new RangeError(`sequence out of range: epoch ${epoch}, offsets ${offsets}`);
  }
  return sequence;
}

/**
 * The value of the record, whose key is `session_id`. Nothing is checked here: what
 * `decodeTotalsMessage` does not take, every reader skips.
 */
export function encodeTotalsMessage(message: TotalsMessage): Buffer {
  return Buffer.from(JSON.stringify(message));
}

/** Reads a message; undefined for another version or for what is not one of ours. */
export function decodeTotalsMessage(value: Buffer | null | undefined): TotalsMessage | undefined {
  if (!value) return undefined;
  try {
    const message = JSON.parse(value.toString()) as TotalsMessage;
    const known = message.v === 1 && isUuid(message.session_id);
    return known && Number.isSafeInteger(message.sequence) ? message : undefined;
  } catch {
    return undefined;
  }
}
