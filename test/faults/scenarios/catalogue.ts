import type { Elsewhere, Scenario } from '../scenario.ts';
import { kafkaScenarios } from './kafka.ts';

/** Every fault of the catalogue, in its order. */
export const catalogue: readonly (Scenario | Elsewhere)[] = [...kafkaScenarios].toSorted(
  (one, other) => Number(one.id.slice(1)) - Number(other.id.slice(1)),
);
