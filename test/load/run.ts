import { sleep } from '#common/clock.ts';
import { type Balance, readBalance } from './balance.ts';
import { ballotsPerSecondMax, openBallots, type Voter } from './ballots.ts';
import { type Check, checkRun, readRecorded } from './checks.ts';
import { Connections } from './connections.ts';
import { type CpuUse, cpuPerVote, readCpu } from './cpu.ts';
import { runCrowd } from './crowd.ts';
import { Gauge } from './gauge.ts';
import type { LoadOptions } from './options.ts';
import { progressLine, type Report } from './report.ts';
import { Screens } from './screens.ts';
import { createSession, readSession, type Session } from './session.ts';
import { readTarget, type Target } from './target.ts';

/** A crowd that is ready: ballots opened, screens on. What a run, or a fault test, works with. */
export interface Prepared {
  readonly target: Target;
  readonly session: Session;
  readonly connections: Connections;
  readonly voters: readonly Voter[];
  readonly screens: Screens;
  readonly gauge: Gauge;
}

export type Say = (line: string) => void;

/** A viewer address stands for 20 votes a second at most: far below every limit on an address. */
const votesPerAddress = 20;
const addressesMin = 64;
const spareS = 15 * 60;
const visibleWaitMs = 15_000;

/** Makes or finds the session, opens the ballots and the streams. `close` the parts afterwards. */
export async function prepare(options: LoadOptions, say: Say): Promise<Prepared> {
  const target = readTarget();
  const { rate, seconds, voters: count } = options;
  const openS = seconds + (2 * count) / ballotsPerSecondMax + spareS;
  const session =
    options.session === undefined
      ? await createSession(target, openS)
      : await readSession(target, options.session);
  say(`session ${session.sessionId}: opening ${count} ballots`);
  const addresses = Math.max(addressesMin, Math.ceil((4 * rate) / votesPerAddress));
  const connections = new Connections(target.port, addresses);
  const startedAt = performance.now();
  const voters = await openBallots(target, connections, session.sessionId, count, (opened) => {
    const perSecond = (opened / (performance.now() - startedAt)) * 1000;
    if (opened % 5_000 === 0) say(`${opened} ballots opened, ${perSecond.toFixed(0)}/s`);
  });
  const gauge = new Gauge();
  const screens = new Screens(target, session.sessionId, (ms) => gauge.visible.record(ms));
  await screens.begin(options.streams);
  return { target, session, connections, voters, screens, gauge };
}

/** Lets the crowd vote and resolves when every vote has an outcome and was seen, or time is up. */
export async function vote(
  prepared: Prepared,
  options: LoadOptions,
  say: Say,
  stop?: AbortSignal,
): Promise<void> {
  const { gauge, screens, voters } = prepared;
  const progress = sayProgress(gauge, say);
  try {
    await runCrowd({
      casting: prepared,
      gauge,
      voters,
      rate: options.rate,
      seconds: options.seconds,
      curve: options.curve,
      onAccepted: (voter, place, atMs) => screens.of(voter).await(place, atMs),
      ...(stop === undefined ? {} : { stop }),
    });
    const deadline = performance.now() + visibleWaitMs;
    while (screens.awaited > 0 && performance.now() < deadline) await sleep(50);
    if (screens.awaited > 0) gauge.error('not_visible', screens.awaited);
  } finally {
    clearInterval(progress);
  }
}

/** The books of a run: what Kafka and Postgres say of its voters. */
export async function audit(
  prepared: Prepared,
): Promise<{ balance: Balance; checks: readonly Check[] }> {
  const { gauge, session, target } = prepared;
  const balance = await readBalance(session.sessionId);
  const recorded = await readRecorded(target.stack.postgres, session.sessionId, gauge.voters);
  return { balance, checks: checkRun(gauge, recorded, balance) };
}

export async function close({ screens, connections }: Prepared): Promise<void> {
  connections.close();
  await screens.close();
}

/** A whole run, from the session to the report. */
export async function runLoad(options: LoadOptions, say: Say): Promise<Report> {
  const prepared = await prepare(options, say);
  const { gauge, target } = prepared;
  try {
    const before = await readCpu(target.stack.services);
    const own = process.cpuUsage();
    const startedAt = performance.now();
    await vote(prepared, options, say);
    const after = await readCpu(readTarget().stack.services);
    const { user, system } = process.cpuUsage(own);
    await close(prepared);
    const { balance, checks } = await audit(prepared);
    const tookS = Math.max(1, gauge.lastAcceptedMs - startedAt) / 1000;
    return {
      rate: options.rate,
      votes_per_s: Math.round((gauge.accepted / tookS) * 10) / 10,
      submit_ms: gauge.submit.percentiles(),
      visible_ms: gauge.visible.percentiles(),
      errors: Object.fromEntries(gauge.errors),
      balance,
      cpu_us_per_vote: withOwn(before, after, user + system, gauge.accepted),
      checks: Object.fromEntries(checks.map(({ name, ok, text }) => [name, { ok, text }])),
    };
  } finally {
    await close(prepared);
  }
}

function withOwn(
  before: CpuUse,
  after: CpuUse,
  ownUs: number,
  votes: number,
): Record<string, number> {
  return {
    ...cpuPerVote(before, after, votes),
    ...cpuPerVote(new Map(), new Map([['load', ownUs]]), votes),
  };
}

function sayProgress(gauge: Gauge, say: Say): NodeJS.Timeout {
  let second = 0;
  let last = { voters: gauge.voters.length, accepted: gauge.accepted };
  return setInterval(() => {
    second += 1;
    say(progressLine(second, gauge, last));
    last = { voters: gauge.voters.length, accepted: gauge.accepted };
  }, 1000);
}
