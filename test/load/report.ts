import type { Balance } from './balance.ts';
import type { Check } from './checks.ts';
import type { Gauge } from './gauge.ts';
import type { Percentiles } from './histogram.ts';

/** What a run ends with; `--json` prints it as it is. Durations in milliseconds. */
export interface Report {
  /** Asked for, votes a second. */
  readonly rate: number;
  /** Reached: accepted votes over the time from the first arrival to the last 201. */
  readonly votes_per_s: number;
  readonly submit_ms: Percentiles;
  readonly visible_ms: Percentiles;
  readonly errors: Readonly<Record<string, number>>;
  readonly balance: Balance;
  /** CPU microseconds of each process for one accepted vote; `load` is the crowd itself. */
  readonly cpu_us_per_vote: Readonly<Record<string, number>>;
  readonly checks: Readonly<Record<string, { readonly ok: boolean; readonly text: string }>>;
}

/** One line of progress; rates are of the last second. */
export function progressLine(
  second: number,
  gauge: Gauge,
  last: { readonly voters: number; readonly accepted: number },
): string {
  const arrived = gauge.voters.length - last.voters;
  const accepted = gauge.accepted - last.accepted;
  return (
    `${String(second).padStart(4)} s  ${String(arrived).padStart(5)}/s arrived  ` +
    `${String(accepted).padStart(5)}/s accepted  ${gauge.inFlight} on their way  ` +
    `submit p99 ${gauge.submit.quantile(0.99).toFixed(1)} ms  ` +
    `visible p99 ${gauge.visible.quantile(0.99).toFixed(0)} ms  errors ${gauge.errorCount}`
  );
}

export function reportTable(report: Report): string {
  const { submit_ms: submit, visible_ms: visible } = report;
  const cell = (value: number): string => value.toFixed(1).padStart(9);
  const row = (name: string, of: Percentiles): string =>
    `  ${name.padEnd(20)}${cell(of.p50)}${cell(of.p95)}${cell(of.p99)}${cell(of.max)}`;
  const cpu = Object.entries(report.cpu_us_per_vote)
    .filter(([, us]) => us >= 0.1)
    .toSorted(([, a], [, b]) => b - a);
  const errors = Object.entries(report.errors).map(([code, count]) => `${count} ${code}`);
  return [
    '',
    `  votes/s             asked ${report.rate}, reached ${report.votes_per_s}`,
    `  milliseconds              p50      p95      p99      max`,
    row('submit', submit),
    row('accepted → visible', visible),
    `  errors              ${errors.join(', ') || 'none'}`,
    '',
    '  CPU-µs a vote',
    ...cpu.map(([name, us]) => `    ${name.padEnd(18)}${cell(us)}`),
    '',
    ...Object.entries(report.checks).map(([name, { ok, text }]) => checkLine({ name, ok, text })),
    '',
  ].join('\n');
}

function checkLine({ name, ok, text }: Pick<Check, 'ok' | 'text'> & { name: string }): string {
  return `  ${ok ? 'ok    ' : 'FAILED'} ${name.padEnd(10)} ${text}`;
}
