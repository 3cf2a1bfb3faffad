import { createHmac, type KeyObject, timingSafeEqual } from 'node:crypto';
import { encodeBase32, groupSymbols, normalizeBase32 } from '#common/base32.ts';

/**
 * Voting codes need no stored row, so that millions can be printed: a code carries its own proof.
 *
 *   XXXXX-XXXXX - XXXXX-XXXXX        20 symbols of Crockford's base32
 *   serial        proof
 *   50 bits       50 bits
 *
 *   serial = print run (26 random bits) | counter (24 bits)
 *   proof  = first 50 bits of HMAC-SHA-256(key, "voting-code/v1" | session id | serial as printed)
 *
 * The serial is the voter: the same code opens the same ballot again. The session id is part of the
 * proof, so a code is good for one session only. Two print runs of one session share a number with
 * chance 2⁻²⁶: 300 million codes are 18 runs, so they collide with a chance of 2 in a million.
 */
export const codesInARun = 2 ** 24;
const runs = 2 ** 26;

const serialSymbols = 10;
const proofSymbols = 10;
const groupSize = 5;

/** Nobody types more than this by accident; what is longer is not looked at. */
export const typedCodeLengthMax = 120;

/** Codes of one session in printing order, without end. The first run is `run`, 0 to 2²⁶ − 1. */
export function* printCodes(key: KeyObject, sessionId: string, run: number): Generator<string> {
  for (let current = run; ; current = (current + 1) % runs) {
    for (let counter = 0; counter < codesInARun; counter++) {
      yield makeCode(key, sessionId, serialOf(current, counter));
    }
  }
}

/** A run number from 4 random bytes. */
export function runFrom(bytes: Buffer): number {
  return bytes.readUInt32BE(0) % runs;
}

/** 10 symbols. `run` below 2²⁶, `counter` below 2²⁴. */
export function serialOf(run: number, counter: number): string {
  // 50 bits at the head of 7 bytes; the last 6 bits are not encoded.
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(((BigInt(run) << 24n) | BigInt(counter)) << 14n);
  return encodeBase32(bytes.subarray(0, 7), serialSymbols);
}

/** The code of a serial of 10 symbols, as it is printed. */
export function makeCode(key: KeyObject, sessionId: string, serial: string): string {
  return groupSymbols(serial + proofOf(key, sessionId, serial), groupSize);
}

/**
 * Reads a code as a person types it. Gives the serial, 10 symbols in their one spelling, or
 * undefined for a text that is no code, or none of this session.
 */
export function readCode(key: KeyObject, sessionId: string, typed: string): string | undefined {
  if (typed.length > typedCodeLengthMax) return undefined;
  const symbols = normalizeBase32(typed.normalize('NFKC'));
  if (symbols === undefined || symbols.length !== serialSymbols + proofSymbols) return undefined;
  const serial = symbols.slice(0, serialSymbols);
  const expected = Buffer.from(proofOf(key, sessionId, serial));
  const given = Buffer.from(symbols.slice(serialSymbols));
  return timingSafeEqual(expected, given) ? serial : undefined;
}

function proofOf(key: KeyObject, sessionId: string, serial: string): string {
  // Session id and serial have fixed lengths, so that joining them is unambiguous. A KeyObject:
  // with a Buffer the same HMAC costs 17 µs in place of 3.
  const mac = createHmac('sha256', key).update(`voting-code/v1${sessionId}${serial}`).digest();
  return encodeBase32(mac, proofSymbols);
}
