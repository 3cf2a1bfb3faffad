import { type Durability, durabilities } from '#common/contracts/receipt.ts';

/**
 * A claim stands in Redis under `vote:{vote_id}` and says what this region knows of the voter's
 * first submission. It is advice, never authority: Redis may lose it, and then Postgres finds the
 * duplicate. Binary, at most 200 bytes; neither token nor idempotency key are in it.
 *
 *   PENDING  ┌────┬────────────┬────────┐
 *            │ 01 │ choice 8 B │ tag 8 B│   tag: random, so that only its writer takes it back
 *            └────┴────────────┴────────┘
 *   DONE     ┌────┬────────────┬────────────────┬───────────┬────────┬───────┬───────┬────────┬────────┐
 *            │ 02 │ choice 8 B │ accepted_at u64│ part. u16 │ off u64│ dur u8│ kid 8 │ sig 64 │ region │
 *            └────┴────────────┴────────────────┴───────────┴────────┴───────┴───────┴────────┴────────┘
 *
 * PENDING lives for the produce deadline and a second more: a crash between claim and ack costs the
 * voter that wait at most. DONE lives two hours and is never overwritten.
 */
export type Claim =
  | { readonly state: 'pending'; readonly choice: Buffer; readonly tag: Buffer }
  | ({ readonly state: 'done'; readonly choice: Buffer } & DoneClaim);

/** What a 201 said: with ballot and choice enough for the same receipt again, byte for byte. */
export interface DoneClaim {
  readonly acceptedAtMs: number;
  readonly region: string;
  readonly partition: number;
  readonly offset: number;
  readonly durability: Durability;
  readonly kid: string;
  readonly signature: Buffer;
}

export const pendingMs = 3000;
export const doneMs = 2 * 60 * 60 * 1000;

const choiceBytes = 8;
const doneHeadBytes = 100;

/** 8 bytes of the commitment that the confirmation code does not show. */
export function choiceOf(commitment: string): Buffer {
  return Buffer.from(commitment, 'base64url').subarray(8, 8 + choiceBytes);
}

/**
 * 17 bytes. Choice (`choiceOf`) and tag have 8 each; of other lengths it would be read as no claim.
 */
export function encodePending(choice: Buffer, tag: Buffer): Buffer {
  return Buffer.concat([Uint8Array.of(1), choice, tag]);
}

/**
 * 100 bytes and the region's name, which must not be empty. Throws a RangeError for a partition
 * above 65,535 or a number that is no u64.
 */
export function encodeDone(choice: Buffer, done: DoneClaim): Buffer {
  const head = Buffer.alloc(doneHeadBytes);
  head.writeUInt8(2, 0);
  choice.copy(head, 1);
  head.writeBigUInt64BE(BigInt(done.acceptedAtMs), 9);
  head.writeUInt16BE(done.partition, 17);
  head.writeBigUInt64BE(BigInt(done.offset), 19);
  head.writeUInt8(durabilities.indexOf(done.durability), 27);
  Buffer.from(done.kid, 'base64url').copy(head, 28);
  done.signature.copy(head, 36);
  return Buffer.concat([head, Buffer.from(done.region)]);
}

/** Reads a claim; undefined for anything else, which then counts as no claim. */
export function decodeClaim(bytes: Buffer): Claim | undefined {
  const choice = bytes.subarray(1, 1 + choiceBytes);
  if (bytes[0] === 1 && bytes.length === 17) {
    return { state: 'pending', choice, tag: bytes.subarray(9, 17) };
  }
  const durability = durabilities[bytes[27] ?? -1];
  if (bytes[0] !== 2 || bytes.length <= doneHeadBytes || durability === undefined) return undefined;
  return {
    state: 'done',
    choice,
    acceptedAtMs: Number(bytes.readBigUInt64BE(9)),
    partition: bytes.readUInt16BE(17),
    offset: Number(bytes.readBigUInt64BE(19)),
    durability,
    kid: bytes.subarray(28, 36).toString('base64url'),
    signature: bytes.subarray(36, 100),
    region: bytes.subarray(doneHeadBytes).toString(),
  };
}

export type ClaimDecision =
  /** Nothing recorded yet, or the same choice on its way: sending again is safe. */
  | { readonly act: 'produce' }
  /** The same choice is recorded: the same answer again. */
  | { readonly act: 'repeat'; readonly done: DoneClaim }
  | { readonly act: 'refuse_duplicate'; readonly acceptedAtMs: number }
  | { readonly act: 'refuse_in_progress' };

/** What to do with a submission of `choice`, given the claim that was there before it. */
export function decideByClaim(held: Claim | undefined, choice: Buffer): ClaimDecision {
  if (held === undefined) return { act: 'produce' };
  if (held.choice.equals(choice)) {
    return held.state === 'done' ? { act: 'repeat', done: held } : { act: 'produce' };
  }
  return held.state === 'done'
    ? { act: 'refuse_duplicate', acceptedAtMs: held.acceptedAtMs }
    : { act: 'refuse_in_progress' };
}
