import type { Elsewhere, Scenario } from '../scenario.ts';
import { clientScenarios } from './clients.ts';
import { closingScenarios } from './closing.ts';
import { databaseScenarios } from './database.ts';
import { diskScenarios } from './disk.ts';
import { elsewhere } from './elsewhere.ts';
import { finalScenarios } from './final.ts';
import { intakeScenarios } from './intake.ts';
import { kafkaScenarios } from './kafka.ts';
import { ledgerScenarios } from './ledger.ts';
import { redisScenarios } from './redis.ts';
import { regionScenarios } from './regions.ts';
import { resultsScenarios } from './results.ts';

const all: readonly (Scenario | Elsewhere)[] = [
  ...clientScenarios,
  ...intakeScenarios,
  ...redisScenarios,
  ...kafkaScenarios,
  ...diskScenarios,
  ...databaseScenarios,
  ...ledgerScenarios,
  ...closingScenarios,
  ...finalScenarios,
  ...resultsScenarios,
  ...regionScenarios,
  ...elsewhere,
];

/** Every fault of the catalogue, in its order. */
export const catalogue: readonly (Scenario | Elsewhere)[] = all.toSorted(
  (one, other) => numberOf(one.id) - numberOf(other.id),
);

function numberOf(id: string): number {
  return Number(/\d+/.exec(id)?.[0]);
}
