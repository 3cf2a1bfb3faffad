import type { SealKey, SessionMessage } from '#common/contracts/session.ts';
import type { Covers } from '#common/contracts/vote-aggregated.ts';
import type { PublicJwk } from '#common/keys.ts';
import type { TotalsRead } from './sql/read-totals.ts';

/**
 * What the publisher reads. Two implementations: Postgres, and the simulator's model of it. Each
 * method is one statement, so what it gives belongs together.
 */
export interface PublisherStore {
  /**
   * Sessions that have not been closed for longer than `closedSinceMs`, or were released, sealed or
   * made final within it. `copied`: as the copies of the database have them, too; rejects when they
   * do not within 3 s.
   */
  readSessions(closedSinceMs: number, safety: 'written' | 'copied'): Promise<SessionMessage[]>;
  /** Public keys that ballots may be signed with, oldest first. */
  readBallotKeys(): Promise<PublicJwk[]>;
  /** Public keys that seals may be signed with, oldest first. */
  readSealKeys(): Promise<SealKey[]>;
  /** The epoch, and the regions declared lost up to it, sorted. */
  readRegions(): Promise<{ readonly epoch: number; readonly lost: readonly string[] }>;
  /** Offsets and the totals that follow from them; see `readTotals`. */
  readTotals(since: Covers, alsoNos: readonly number[]): Promise<TotalsRead>;
}
