import { readClaims } from './token.ts';

/** Where a vote lies in the log: its region, the partition there, and the place in it. */
export type Coordinates = { region: string; partition: number; offset: number };

/** What a snapshot has counted up to: per region the next offset of each partition. */
export type Covers = Record<string, readonly number[]>;

/** The coordinates that a receipt (compact JWS) names, or null when it names none. */
export function readCoordinates(receipt: string): Coordinates | null {
  const claims = readClaims(receipt);
  if (claims === null) return null;
  const { region, partition, offset } = claims;
  const named = typeof region === 'string' && isPlace(partition) && isPlace(offset);
  return named ? { region, partition, offset } : null;
}

/** True once everything up to and including this vote has been read by the count. */
export function isCovered(at: Coordinates, covers: Covers): boolean {
  if (!Object.hasOwn(covers, at.region)) return false;
  const next = covers[at.region]?.[at.partition];
  return next !== undefined && next > at.offset;
}

function isPlace(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
