import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { sleep } from '#common/clock.ts';
import { signBallot } from '#common/contracts/ballot-token.ts';
import { Connections } from '../load/connections.ts';
import { Histogram } from '../load/histogram.ts';
import { onItsOwnCore } from '../load/pin.ts';
import { createBallot } from '../support/votes.ts';
import { type IntakeProcess, startIntakeProcess } from './intake-process.ts';

/**
 * What intake does with more than it can take: what a refusal costs beside a vote, what five times
 * the highest rate leaves of it, and whether a session at ten times its share slows the others. One
 * intake with Kafka and Redis on all cores but the last, the crowd (this process) on the last.
 *
 *     node test/bench/intake-overload.ts --seconds 10
 */
const { values } = parseArgs({ options: { seconds: { type: 'string', default: '10' } } });
const seconds = Number(values.seconds);
const sessions = 10;
const timeoutMs = 5000;
/** Refused voters come again, so few ballots are enough. */
const ballotsAheadMin = 2000;

interface Phase {
  readonly accepted: Histogram;
  readonly refused: Histogram;
  readonly codes: Map<string, number>;
  readonly cpuUs: number;
  readonly seconds: number;
}

const intake = await startIntakeProcess(sessions);
const connections = new Connections(intake.port, 200);
const ahead = intake.sessionIds.map((): string[] => []);
try {
  const services = { intake: intake.pids().map((pid) => ({ pid })) };
  await onItsOwnCore(services as never, cpus().length, run);
} finally {
  connections.close();
  await intake.stop();
}

async function run(): Promise<void> {
  const even = (rate: number): number[] => ahead.map(() => rate / sessions);
  await phase(even(300), 3);
  const highest = await findHighest(even);
  const vote = await phase(even(highest / 2), seconds);
  const voteUs = vote.cpuUs / vote.accepted.count;
  show(`half of it (${highest / 2}/s)`, vote);

  const over = await phase(even(highest * 5), seconds);
  const refusalUs = (over.cpuUs - over.accepted.count * voteUs) / over.refused.count;
  show(`five times (${highest * 5}/s)`, over);
  console.log(
    `CPU of intake: ${voteUs.toFixed(0)} µs a vote; a refusal ${refusalUs.toFixed(0)} µs, if a ` +
      'vote costs then what it costs at half the rate',
  );
  await sleep(1000);
  show('right after it, half of the highest', await phase(even(highest / 2), seconds));

  const share = highest / sessions / 2;
  const calm = await phase(even(highest / 2), seconds, 0);
  show(`others, each at its share (${share}/s)`, calm);
  const rates = ahead.map((_, no) => (no === 0 ? share * 10 : share));
  show('others, while one is at ten times its share', await phase(rates, seconds, 0));
}

/** The highest rate at which at most 1 in 1,000 is refused and p99 is below 100 ms. */
async function findHighest(even: (rate: number) => number[]): Promise<number> {
  let highest = 250;
  for (let rate = 500; rate <= 8000; rate += rate < 2000 ? 250 : 500) {
    const tried = await phase(even(rate), 4);
    show(`${rate}/s`, tried);
    const bad = [...tried.codes].reduce((sum, [code, n]) => sum + (code === '201' ? 0 : n), 0);
    if (bad > tried.accepted.count / 1000 || tried.accepted.quantile(0.99) > 100) break;
    highest = rate;
  }
  return highest;
}

/**
 * Open loop: each session at its rate, whatever is answered.
 *
 * @param unobserved number of a session whose answers are left out
 */
async function phase(rates: readonly number[], s: number, unobserved?: number): Promise<Phase> {
  for (const no of ahead.keys()) prepare(no, ballotsAheadMin + rates[no]! * s);
  const result = { accepted: new Histogram(), refused: new Histogram(), codes: new Map() };
  const startedUs = intake.cpuUs();
  const startedMs = performance.now();
  const sent = rates.map(() => 0);
  const underWay = new Set<Promise<void>>();
  for (let nowMs = startedMs; nowMs < startedMs + s * 1000; nowMs = performance.now()) {
    for (const [no, rate] of rates.entries()) {
      for (; sent[no]! < (rate * (nowMs - startedMs)) / 1000; sent[no]!++) {
        const dueMs = startedMs + (sent[no]! * 1000) / rate;
        const cast = castOne(no, dueMs, no === unobserved ? undefined : result);
        underWay.add(cast);
        void cast.finally(() => underWay.delete(cast));
      }
    }
    await sleep(1);
  }
  await Promise.all(underWay);
  const took = (performance.now() - startedMs) / 1000;
  return { ...result, cpuUs: intake.cpuUs() - startedUs, seconds: took };
}

async function castOne(
  no: number,
  dueMs: number,
  result: Pick<Phase, 'accepted' | 'refused' | 'codes'> | undefined,
): Promise<void> {
  const text = ahead[no]!.pop();
  if (text === undefined) throw new Error('too few ballots were made ahead');
  let code: string;
  try {
    const answer = await connections.request(Math.floor(dueMs * 1000), text, timeoutMs);
    code = String(answer.status);
    if (answer.status !== 201) {
      code = `${answer.status} ${(JSON.parse(answer.body) as { error: string }).error}`;
      ahead[no]!.unshift(text);
    }
  } catch (error) {
    code = (error as Error).constructor.name;
  }
  if (result === undefined) return;
  result.codes.set(code, (result.codes.get(code) ?? 0) + 1);
  const tookMs = performance.now() - dueMs;
  if (code === '201') result.accepted.record(tookMs);
  else result.refused.record(tookMs);
}

/** Requests whole and signed, so that the crowd's own work is done before. */
function prepare(no: number, count: number): void {
  const sessionId = intake.sessionIds[no]!;
  const body = JSON.stringify({ session_id: sessionId, option_id: 'tea' });
  while (ahead[no]!.length < count) ahead[no]!.push(request(intake, sessionId, body));
}

function request({ ballotKey, originSecret }: IntakeProcess, id: string, body: string): string {
  const ballot = createBallot(id);
  const address = `198.18.${Math.floor(Math.random() * 250)}.${Math.floor(Math.random() * 250)}:1`;
  return [
    'POST /api/v1/votes HTTP/1.1',
    'host: vote',
    'content-type: application/json',
    `content-length: ${body.length}`,
    `x-origin-secret: ${originSecret}`,
    `cloudfront-viewer-address: ${address}`,
    `idempotency-key: ${ballot.vote_id}`,
    `authorization: Bearer ${signBallot(ballot, ballotKey)}`,
    '',
    body,
  ].join('\r\n');
}

function show(what: string, { accepted, refused, codes, seconds: s }: Phase): void {
  const { p50, p99, max } = accepted.percentiles();
  const turnedAway = refused.percentiles();
  console.log(
    `${what}: ${Math.round(accepted.count / s)} accepted/s, ms p50 ${p50} p99 ${p99} max ${max}` +
      (refused.count === 0 ? '' : `; not accepted: ms p50 ${turnedAway.p50} p99 ${turnedAway.p99}`),
    Object.fromEntries(codes),
  );
}
