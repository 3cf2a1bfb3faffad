import { sleep } from '#common/clock.ts';
import type { Check } from '../load/checks.ts';
import type { Gauge } from '../load/gauge.ts';
import { parseOptions } from '../load/options.ts';
import { audit, close, type Prepared, prepare, type Say, vote } from '../load/run.ts';
import { readTarget } from '../load/target.ts';

export const victims = [
  'intake',
  'ledger',
  'publisher',
  'results',
  'kafka',
  'postgres',
  'redis',
] as const;

/** What a kill did. Durations in milliseconds from the kill. */
export interface Healing {
  readonly victim: string;
  /** From then on every attempt that was sent was accepted; 0 when none failed. */
  readonly acceptingAgainMs: number;
  /** From then on every vote was visible within a second of its acceptance. */
  readonly lagGoneMs: number;
  /** Another process of that name runs now. */
  readonly isReplaced: boolean;
  readonly gauge: Gauge;
  readonly checks: readonly Check[];
}

const beforeS = 8;
/** The crowd goes on this long after the kill at most, and this long after the last trouble. */
const afterS = 75;
const calmMs = 10_000;
const sampleMs = 100;
const lagMs = 1_000;

/**
 * Runs a crowd on a session of its own, ends one process of the stack with SIGKILL, and watches.
 */
export async function killUnderLoad(victim: string, rate: number, say: Say): Promise<Healing> {
  const seconds = String(beforeS + afterS);
  const options = parseOptions(['--rate', String(rate), '--seconds', seconds]);
  const prepared = await prepare(options, say);
  const { gauge, target } = prepared;
  try {
    const stop = new AbortController();
    const voting = vote(prepared, options, say, stop.signal);
    await sleep(beforeS * 1000);
    const pid = target.stack.services[victim]?.[0]?.pid;
    if (pid === undefined) throw new Error(`stack.json names no process ${victim}`);
    say(`kill -9 ${victim} (${pid})`);
    process.kill(pid, 'SIGKILL');
    const killedAt = performance.now();
    const lagGoneMs = await watch(prepared, killedAt);
    stop.abort();
    await voting;
    const now = readTarget().stack.services[victim]?.[0]?.pid;
    const { checks } = await audit(prepared);
    return {
      victim,
      acceptingAgainMs: Math.max(0, gauge.lastFailureSentMs - killedAt),
      lagGoneMs,
      isReplaced: now !== undefined && now !== pid && isAlive(now),
      gauge,
      checks,
    };
  } finally {
    await close(prepared);
  }
}

/** Milliseconds after the kill at which votes were last late to be seen; ends when all is calm. */
async function watch({ gauge, screens }: Prepared, killedAt: number): Promise<number> {
  let troubleAt = killedAt;
  for (;;) {
    await sleep(sampleMs);
    const now = performance.now();
    const hasLag = screens.overdue(now - lagMs) > 0;
    if (hasLag) troubleAt = now;
    const calmSince = Math.max(troubleAt, gauge.lastFailureSentMs);
    const isCalm = now - calmSince > calmMs && gauge.lastAcceptedMs > now - lagMs;
    if (isCalm || now - killedAt > afterS * 1000) return troubleAt - killedAt;
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
