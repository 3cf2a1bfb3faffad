import { type Pool, timelineOf } from '#common/postgres.ts';
import type { PublisherStore } from './publisher-store.ts';
import { readBallotKeys } from './sql/read-ballot-keys.ts';
import { readRegions } from './sql/read-regions.ts';
import { readSealKeys } from './sql/read-seal-keys.ts';
import { readSessions } from './sql/read-sessions.ts';
import { readTotals } from './sql/read-totals.ts';

/** The one Postgres: each method is one statement of `sql/`. */
export function postgresStore(pool: Pool): PublisherStore {
  return {
    readSessions: (closedSinceMs) => readSessions(pool, closedSinceMs),
    readBallotKeys: () => readBallotKeys(pool),
    readSealKeys: () => readSealKeys(pool),
    readRegions: () => readRegions(pool),
    readTotals: async (since, alsoNos) => {
      const read = await readTotals(pool, since, alsoNos);
      return { ...read, timeline: timelineOf(pool) };
    },
  };
}
