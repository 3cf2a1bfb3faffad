import type { KeyObject } from 'node:crypto';
import type { Clock } from '#common/clock.ts';
import type { PublicKeys } from '#common/keys.ts';
import type { Log } from '#common/log.ts';
import type { Pool } from '#common/postgres.ts';
import type { RecordsMetrics } from './metrics.ts';
import type { Tries } from './vote-state/tries.ts';

/** What every route works with. */
export interface Records {
  readonly pool: Pool;
  /** As the topic `sessions` last told them. */
  readonly ballotKeys: () => PublicKeys;
  readonly receiptKeys: PublicKeys;
  readonly confirmationKey: KeyObject;
  /** By vote id. */
  readonly tries: Tries;
  /** By the address that codes come from: one code is looked for in every session. */
  readonly addressTries: Tries;
  readonly metrics: RecordsMetrics;
  readonly log: Log;
  readonly clock: Clock;
  readonly random: () => number;
}
