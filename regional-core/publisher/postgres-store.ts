import type { SessionMessage } from '#common/contracts/session.ts';
import type { Copies, Db } from '#common/copies.ts';
import { type Pool, timelineOf } from '#common/postgres.ts';
import type { PublisherStore } from './publisher-store.ts';
import { readBallotKeys } from './sql/read-ballot-keys.ts';
import { readRegions } from './sql/read-regions.ts';
import { readSealKeys } from './sql/read-seal-keys.ts';
import { readSessions } from './sql/read-sessions.ts';
import { readTotals } from './sql/read-totals.ts';

/** The one Postgres: each method is one statement of `sql/`. */
export function postgresStore(pool: Pool, copies: Copies): PublisherStore {
  return {
    readSessions: (closedSinceMs, safety) => {
      const read = (db: Db): Promise<SessionMessage[]> => readSessions(db, closedSinceMs);
      return safety === 'copied' ? copies.write(read) : read(pool);
    },
    readBallotKeys: () => readBallotKeys(pool),
    readSealKeys: () => readSealKeys(pool),
    readRegions: () => copies.write(readRegions),
    readTotals: async (since, alsoNos) => {
      const read = await readTotals(pool, since, alsoNos);
      return { ...read, timeline: timelineOf(pool) };
    },
  };
}
