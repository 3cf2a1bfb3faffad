import { sleep } from '#common/clock.ts';
import { readLogBounds } from '#common/kafka.ts';
import { check, type Finding } from './check/check.ts';
import type { Evidence } from './check/evidence.ts';
import { type Figures, figuresOf } from './check/figures.ts';
import { gather, type LogStarts, liveLogs, voteLogs } from './check/gather.ts';
import { readPartitions } from './check/read-books.ts';
import type { Voters } from './crowd/voters.ts';
import { openVoting } from './crowd/voting.ts';
import type { Lab } from './lab/lab.ts';
import type { Scale, Scenario } from './scenario.ts';
import { Stage } from './stage.ts';

export interface Outcome {
  readonly scenario: Scenario;
  readonly scale: Scale;
  readonly findings: readonly Finding[];
  readonly figures: Figures | undefined;
  /** From the end of the fault until everything was counted, seconds. */
  readonly recoveryS: number;
  readonly notes: readonly string[];
  readonly tookS: number;
}

const hourMs = 3_600_000;
const lagMsMax = 300_000;
const publishedMsMax = 30_000;
const knownMsMax = 30_000;

/** Runs one scenario on a lab that is well, and leaves it well. */
export async function runScenario(lab: Lab, scenario: Scenario, scale: Scale): Promise<Outcome> {
  const startedMs = performance.now();
  const closesInS = scenario.closesInS?.(scale);
  const opensForMs = closesInS === undefined ? hourMs : closesInS * 1000;
  const voting = await openVoting(lab, scenario.id, opensForMs);
  const { session, voters, history } = voting;
  const stage = new Stage(lab, scale, session, voters, history);
  const starts = await readStarts(lab);
  let trouble: string | undefined;
  try {
    await untilKnown(lab, voters);
    await scenario.run(stage);
  } catch (error) {
    trouble = error instanceof Error ? (error.stack ?? error.message) : String(error);
  }
  const healedMs = stage.healedMs ?? performance.now();
  try {
    await lab.heal();
    await stage.endLoads();
    const lagGoneMs = await untilCounted(lab);
    const evidence = await gatherSettled(lab, stage, starts);
    const findings = [
      ...(trouble === undefined ? [] : [{ name: 'the scenario ran', ok: false, text: trouble }]),
      {
        name: 'everything was counted within 300 s',
        ok: lagGoneMs - healedMs < lagMsMax,
        text: `${((lagGoneMs - healedMs) / 1000).toFixed(1)} s`,
      },
      ...check(evidence, { lost: stage.mayBeLost }),
      ...stage.findings,
    ];
    return {
      scenario,
      scale,
      findings,
      figures: figuresOf(evidence, stage.loads),
      recoveryS: Math.max(0, lagGoneMs - healedMs) / 1000,
      notes: stage.notes,
      tookS: (performance.now() - startedMs) / 1000,
    };
  } finally {
    voting.close();
  }
}

async function readStarts(lab: Lab): Promise<LogStarts> {
  const entries = voteLogs(lab).map(async ({ log, topic, region }) => {
    const options = { brokers: region.kafka.addresses, clientId: 'lab' };
    return [log, await readLogBounds(options, topic, 'latest')] as const;
  });
  return new Map(await Promise.all(entries));
}

/** Until every intake has taken a vote of the session; those who tried are voters like others. */
async function untilKnown(lab: Lab, voters: Voters): Promise<void> {
  for (const { name, services } of lab.regions) {
    for (let wanted = 2 * services.intake.length; wanted > 0; wanted -= 1) {
      const last = await voters.vote(voters.make(), 0, [name], knownMsMax);
      if (last.outcome !== 'ok') throw new Error(`${name} takes no votes: ${last.code}`);
    }
  }
}

/** Until the ledger has read every log to its end; gives when that was first seen. */
async function untilCounted(lab: Lab): Promise<number> {
  const giveUpMs = performance.now() + lagMsMax;
  for (;;) {
    const ends = new Map<string, number>();
    const logs = await liveLogs(lab);
    for (const { log, topic, region } of logs) {
      const options = { brokers: region.kafka.addresses, clientId: 'lab' };
      const bounds = await readLogBounds(options, topic, 'latest');
      for (const [partition, end] of bounds.entries()) ends.set(`${log}/${partition}`, end);
    }
    const books = await readPartitions(lab.postgres);
    for (const { log, partition, nextOffset } of books) {
      if (ends.get(`${log}/${partition}`) === nextOffset) ends.delete(`${log}/${partition}`);
    }
    const nowMs = performance.now();
    if (ends.size === 0 || nowMs > giveUpMs) return nowMs;
    await sleep(200);
  }
}

/**
 * The evidence once what is published is what is counted, and nothing was recorded while it was
 * gathered (a send that was given up may still stand in a broker's queue); or 30 s later as it is.
 */
async function gatherSettled(lab: Lab, stage: Stage, starts: LogStarts): Promise<Evidence> {
  const giveUpMs = performance.now() + publishedMsMax;
  const { sessionId } = stage.session;
  for (;;) {
    const evidence = await gather(lab, sessionId, stage.history.attempts, starts);
    const tallied = [...evidence.tallies.values()].reduce((sum, votes) => sum + votes, 0);
    const isPublished = [...evidence.published.values()].every(
      (messages) => messages.at(-1)?.total_votes === tallied,
    );
    const isStill = evidence.books.every(
      ({ logEnd, nextOffset }) => logEnd === undefined || nextOffset <= logEnd,
    );
    if (isPublished && isStill) return evidence;
    if (performance.now() > giveUpMs) {
      const text = `${tallied} votes are counted`;
      if (!isPublished) stage.expect('what is counted is published', false, text);
      return evidence;
    }
    await sleep(500);
  }
}
