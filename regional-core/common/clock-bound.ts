import { closeSync, openSync, readSync } from 'node:fs';

/** How far the wall clock may be off, in milliseconds; or why nobody can say. */
export type ClockError = { readonly ms: number } | { readonly unknown: string };

/** The largest error with which a clock may still decide when a session closes. */
export const clockErrorMsMax = 50;

/**
 * ClockBound's shared memory, versions 1 and 2 (docs/PROTOCOL.md of aws/clock-bound). Integers are
 * the machine's own (little endian here); times are CLOCK_MONOTONIC, seconds and nanoseconds.
 *
 *   magic 8 | size u32 | version u16 | generation u16
 *   as_of i64 i64 | void_after i64 i64 | bound i64 ns
 *   v1: max_drift u32 ppb | reserved u32 | status i32
 *   v2: disruption_marker u64 | max_drift u32 ppb | status i32 | …
 *
 * The daemon makes the generation odd, writes, and makes it even: a reader that saw the same even
 * generation before and after has read a whole. 0: nothing was written yet.
 */
interface Segment {
  readonly asOfNs: bigint;
  readonly voidAfterNs: bigint;
  readonly boundNs: bigint;
  readonly maxDriftPpb: number;
  readonly status: number;
}

/** Two u32 in the machine's order: "AMZN", then "CB" and two bytes. */
const magic = [0x414d_5a4e, 0x4342_0200];
const layouts: Readonly<Record<number, { maxDrift: number; status: number; bytes: number }>> = {
  1: { maxDrift: 56, status: 64, bytes: 72 },
  2: { maxDrift: 64, status: 68, bytes: 80 },
};
const headBytes = 16;
const segmentBytesMax = 80;
const generationAt = 14;
/** 1: kept by the time service; 2: running freely, the bound grows. 0 and 3: nobody can say. */
const statusesKnown = [1, 2];
/** The daemon's coarse clock may be ahead of ours by a tick. */
const tickNs = 10_000_000n;
const readsMax = 5;
const nsPerMs = 1_000_000;

/**
 * What the segment says at the monotonic time given. A tenth of a millisecond more or less does not
 * matter here, but `Date.now()` cuts a millisecond off: it is added.
 */
export function clockErrorAt(bytes: Buffer, monotonicNs: bigint): ClockError {
  const segment = parseSegment(bytes);
  if ('unknown' in segment) return segment;
  const { asOfNs, voidAfterNs, boundNs, maxDriftPpb, status } = segment;
  if (!statusesKnown.includes(status)) return unknown(`its status is ${status}`);
  if (monotonicNs >= voidAfterNs) return unknown('it was not renewed in time');
  if (monotonicNs + tickNs < asOfNs) return unknown('it was written in the future');
  const ageNs = Math.max(0, Number(monotonicNs - asOfNs));
  const errorNs = Number(boundNs) + (ageNs * maxDriftPpb) / 1e9;
  return { ms: Math.ceil(errorNs / nsPerMs) + 1 };
}

function parseSegment(bytes: Buffer): Segment | { readonly unknown: string } {
  if (bytes.length < headBytes) return unknown('it is too short');
  if (magic.some((word, at) => bytes.readUInt32LE(at * 4) !== word)) {
    return unknown('it is not of ClockBound');
  }
  const version = bytes.readUInt16LE(12);
  const layout = layouts[version];
  if (layout === undefined) return unknown(`its version ${version} is not known`);
  if (Math.min(bytes.length, bytes.readUInt32LE(8)) < layout.bytes) {
    return unknown('it is too short');
  }
  const generation = bytes.readUInt16LE(generationAt);
  if (generation === 0 || generation % 2 === 1) return unknown('it is being written');
  const maxDriftPpb = bytes.readUInt32LE(layout.maxDrift);
  const boundNs = bytes.readBigInt64LE(48);
  // A clock that loses a second a second is no clock.
  if (maxDriftPpb >= 1e9 || boundNs < 0n) return unknown('it is malformed');
  return {
    asOfNs: timeAt(bytes, 16),
    voidAfterNs: timeAt(bytes, 32),
    boundNs,
    maxDriftPpb,
    status: bytes.readInt32LE(layout.status),
  };
}

function timeAt(bytes: Buffer, at: number): bigint {
  return bytes.readBigInt64LE(at) * 1_000_000_000n + bytes.readBigInt64LE(at + 8);
}

function unknown(why: string): { readonly unknown: string } {
  return { unknown: `ClockBound's file says nothing: ${why}` };
}

/** Reads the file at each call: opened anew, because the daemon may make another. */
export function clockBoundFile(
  path: string,
  monotonicNs: () => bigint = () => process.hrtime.bigint(),
): () => ClockError {
  return () => {
    try {
      return clockErrorAt(readWhole(path), monotonicNs());
    } catch (error) {
      return unknown((error as Error).message);
    }
  };
}

/** Bytes that no write overlapped, or the last try's when the writer was always quicker. */
function readWhole(path: string): Buffer {
  const file = openSync(path, 'r');
  try {
    const bytes = Buffer.alloc(segmentBytesMax);
    const again = Buffer.alloc(2);
    for (let read = 1; ; read++) {
      const length = readSync(file, bytes, 0, segmentBytesMax, 0);
      readSync(file, again, 0, 2, generationAt);
      const isWhole = again.equals(bytes.subarray(generationAt, generationAt + 2));
      if (isWhole && bytes.readUInt16LE(generationAt) % 2 === 0) return bytes.subarray(0, length);
      if (read === readsMax) throw new Error('it is being written');
    }
  } finally {
    closeSync(file);
  }
}
