import type { ClockError } from './clock-bound.ts';
import { Gauge, type Registry } from './metrics.ts';

/** `own`: the region's Kafka; `standby`: the one that takes copies of its votes. */
export type KafkaGauges = (cluster: 'own' | 'standby', copies: number, faults: number) => void;

/** Call it once a registry. A cluster has no value before what this gives was called for it. */
export function createKafkaGauges(registry: Registry): KafkaGauges {
  const registers = [registry];
  const copies = new Gauge({
    name: 'kafka_replication_copies',
    help: 'Copies of the record that has the fewest, as the cluster says; as declared at most.',
    labelNames: ['cluster'],
    registers,
  });
  const wrong = new Gauge({
    name: 'kafka_setting_faults',
    help: 'Settings of the cluster that are not as declared; above 0 the process is not ready.',
    labelNames: ['cluster'],
    registers,
  });
  return (cluster, least, faults) => {
    copies.set({ cluster }, least);
    wrong.set({ cluster }, faults);
  };
}

/**
 * Call it once a registry. `error` and `doubts` are asked at every scrape, and must not throw: the
 * scrape would fail as a whole.
 */
export function registerClockGauges(
  registry: Registry,
  source: 'declared' | 'clockbound',
  error: () => ClockError,
  doubts: () => readonly string[],
): void {
  const registers = [registry];
  const bound: Gauge = new Gauge({
    name: 'clock_error_bound_seconds',
    help: 'How far the clock may be off, and who says so; NaN while nobody can say.',
    labelNames: ['source'],
    registers,
    collect: () => {
      const now = error();
      bound.set({ source }, 'ms' in now ? now.ms / 1000 : Number.NaN);
    },
  });
  const doubted: Gauge = new Gauge({
    name: 'clock_doubts',
    help: 'Reasons why the clock must not decide who votes in time; above 0: not ready.',
    registers,
    collect: () => doubted.set(doubts().length),
  });
}
