// npm run load:overload -- [--rate 500] [--times 5]: a crowd of several times the rate for a
// minute, then the old rate again. Does intake turn away quickly what it cannot take, and is all
// well again within a minute? The crowd has a core of its own and stands where CloudFront does:
// the local edge on the same core as the whole region would be what is measured (a refusal takes
// three turns of its loop then; m: p99 782 ms).

import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { MINUTE_MS } from '#common/clock.ts';
import { signBallot } from '#common/contracts/ballot-token.ts';
import { parseOriginSecrets } from '#common/http.ts';
import { parseSigningKey } from '#common/keys.ts';
import { uuidV8 } from '#common/uuid.ts';
import { readBalance } from './balance.ts';
import type { Voter } from './ballots.ts';
import { type Casting, castVote } from './cast.ts';
import { checkRun, readRecorded } from './checks.ts';
import { Connections, viewerAddress } from './connections.ts';
import { Gauge } from './gauge.ts';
import { Phase } from './phases.ts';
import { onItsOwnCore } from './pin.ts';
import { createSession } from './session.ts';
import { readTarget, type Target } from './target.ts';

/** Code that runs the first time is slow: what it does to voters is not measured. */
const warmUpS = 40;
const calmS = 30;
const rushS = 60;
const afterS = 90;
const openS = 15 * 60;
const addresses = 2000;
/** Who has waited in vain for so long goes away; the page itself would go on. */
const patienceMs = 30_000;
/** Turned away means told so at once. */
const turnedAwayMsMax = 100;
/** Back to normal: within twice the p99 of before, or the bound of every run. */
const submitMsMax = 100;
const normalWithinS = 60;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: { rate: { type: 'string', default: '500' }, times: { type: 'string', default: '5' } },
  });
  const rate = Number(values.rate);
  const rush = rate * Number(values.times);
  if (!(rate > 0 && rush > rate)) throw new Error('--rate and --times must be numbers above 1.');
  const target = atOrigin(readTarget());
  const session = await createSession(target, openS);
  const phases = [
    new Phase('warm-up', rate),
    new Phase('before', rate),
    new Phase('rush', rush),
    new Phase('after', rate),
  ];
  const seconds = [warmUpS, calmS, rushS, afterS];
  const count = phases.reduce((sum, phase, at) => sum + phase.rate * seconds[at]!, 0);
  console.log(`session ${session.sessionId}: signing ${count} ballots`);
  const voters = signBallots(target, session.sessionId, count);
  const connections = new Connections(target.port, addresses);
  const gauge = new Gauge();
  const edgeHeaders = headersOfAnEdge(target);
  const casting = { target, connections, session, edgeHeaders, patienceMs };
  await onItsOwnCore(target.stack.services, availableParallelism(), async () => {
    const open: Promise<void>[] = [];
    const progress = sayProgress(gauge);
    for (const [at, phase] of phases.entries()) {
      console.log(`${phase.name}: ${phase.rate} votes/s for ${seconds[at]} s`);
      await runPhase({ phase, seconds: seconds[at]!, casting, voters, gauge, open });
    }
    await Promise.all(open);
    clearInterval(progress);
  });
  connections.close();
  console.table(phases.map((phase) => phase.report()));
  console.log('answers other than 201:', Object.fromEntries(gauge.errors));
  const balance = await readBalance(session.sessionId);
  const recorded = await readRecorded(target.stack.postgres, session.sessionId, gauge.voters);
  const checks = [
    ...checkRun(gauge, recorded, balance).map(({ ok, text }) => [text, ok] as const),
    ...checkPhases(phases),
  ];
  for (const [text, ok] of checks) console.log(`  ${ok ? 'ok    ' : 'FAILED'} ${text}`);
  return checks.every(([, ok]) => ok) ? 0 : 1;
}

/** Straight to the home region's intake. */
function atOrigin(target: Target): Target {
  const [intake] = target.stack.services['intake']!;
  const { host, port } = new URL(intake!.url);
  return { ...target, host, port: Number(port), prefixes: [''] };
}

function headersOfAnEdge({ secrets }: Target): (viewer: number) => string {
  const [secret] = parseOriginSecrets(readFileSync(join(secrets, 'origin-secret'), 'utf8').trim());
  return (viewer) =>
    `X-Origin-Secret: ${secret}\r\n` +
    `CloudFront-Viewer-Address: ${viewerAddress(viewer % addresses)}:4711\r\n`;
}

const progressS = 5;

/** What became of attempts, every few seconds. */
function sayProgress(gauge: Gauge): NodeJS.Timeout {
  let before = new Map<string, number>();
  return setInterval(() => {
    const now = new Map([...gauge.errors, ['accepted', gauge.accepted]] as [string, number][]);
    const rates = [...now].map(([name, count]) => {
      const perSecond = (count - (before.get(name) ?? 0)) / progressS;
      return `${perSecond.toFixed(0)}/s ${name}`;
    });
    before = now;
    console.log(`  ${gauge.inFlight} on their way, ${rates.join(', ')}`);
  }, progressS * 1000);
}

/** Signed here with the stack's own key: opening 200,000 ballots would take minutes. */
function signBallots(target: Target, sessionId: string, count: number): Voter[] {
  const key = parseSigningKey(readFileSync(join(target.secrets, 'ballot-key.jwk'), 'utf8'));
  const exp = Math.floor((Date.now() + 60 * MINUTE_MS) / 1000);
  return Array.from({ length: count }, () => {
    const voteId = uuidV8(randomBytes(16));
    const jti = randomBytes(16).toString('base64url');
    const ballot = { vote_id: voteId, session_id: sessionId, jti, exp };
    const token = signBallot({ ...ballot, acr: 'code', challenge: 'not_asked' }, key);
    return { voteId, ballotToken: token };
  });
}

interface PhaseRun {
  readonly phase: Phase;
  readonly seconds: number;
  readonly casting: Omit<Casting, 'onFailure'>;
  readonly voters: Voter[];
  readonly gauge: Gauge;
  /** Votes that have no outcome yet; the next phase begins all the same. */
  readonly open: Promise<void>[];
}

/** Lets the phase's voters come, each at its time, whether or not others have their answers. */
async function runPhase(run: PhaseRun): Promise<void> {
  const { phase, seconds, voters } = run;
  const startedAt = performance.now();
  const count = phase.rate * seconds;
  let come = 0;
  while (come < count) {
    const dueCount = Math.min(count, ((performance.now() - startedAt) / 1000) * phase.rate);
    for (; come < dueCount; come += 1) {
      run.open.push(submit(run, voters.pop()!, startedAt + (come / phase.rate) * 1000, startedAt));
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

async function submit(run: PhaseRun, voter: Voter, dueMs: number, begun: number): Promise<void> {
  const { phase, casting, gauge } = run;
  phase.arrived += 1;
  gauge.voters.push(voter.voteId);
  const viewer = gauge.voters.length;
  const onFailure = (code: string, sentAtMs: number): void => {
    gauge.error(code);
    if (isTurnedAway(code)) phase.refusal.record(performance.now() - sentAtMs);
  };
  const { outcome, body } = await castVote({ ...casting, onFailure }, voter, viewer, viewer);
  if (body === undefined) {
    gauge[outcome === 'refused' ? 'refused' : 'unknown'] += 1;
    return;
  }
  gauge.acceptedIds.push(voter.voteId);
  phase.took(Math.floor((dueMs - begun) / 1000), performance.now() - dueMs);
}

function isTurnedAway(code: string): boolean {
  return code === 'overloaded' || code === 'http_503';
}

function checkPhases([, before, rush, after]: readonly Phase[]): (readonly [string, boolean])[] {
  const bound = Math.max(submitMsMax, 2 * before!.report().submitP99);
  const { turnedAway, turnedAwayP99 } = rush!.report();
  const normal = after!.normalFrom(bound);
  return [
    [
      `${turnedAway} attempts turned away in the rush, p99 ${turnedAwayP99.toFixed(0)} ms`,
      turnedAway > 0 && turnedAwayP99 <= turnedAwayMsMax,
    ],
    [
      normal === undefined
        ? 'submit p99 did not come back'
        : `submit p99 within ${bound.toFixed(0)} ms again after ${normal} s`,
      normal !== undefined && normal <= normalWithinS,
    ],
  ];
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
