import type { Scenario } from '../scenario.ts';
import type { Stage } from '../stage.ts';
import { percentile } from './redis.ts';

const f65: Scenario = {
  id: 'F65',
  fault: 'a region is cut off, and comes back',
  done: (scale) =>
    `nothing passes to or from the second region for ${scale === 'short' ? '12 s' : '10 min'}; its inside lives on`,
  needs: { regions: 2 },
  run: async (stage) => {
    const away = stage.lab.regions[1]!;
    const load = stage.load();
    await stage.seconds(3);
    const cutMs = performance.now();
    away.front.partition();
    away.toPostgres.partition();
    await stage.seconds(stage.pick(12, 600));
    const backMs = performance.now();
    away.front.heal();
    away.toPostgres.heal();
    stage.healed();
    await stage.seconds(3);
    await load.end();
    const waits = waitsOf(stage, cutMs, backMs);
    const longest = Math.max(...waits) / 1000;
    stage.note(`longest wait of a voter ${longest.toFixed(1)} s`);
    stage.expect('clients are elsewhere within 10 s', longest < 10, `${longest.toFixed(1)} s`);
  },
};

const f67: Scenario = {
  id: 'F67',
  fault: 'the ledger of one region does not reach the writer',
  done: (scale) =>
    `the second region's way to Postgres is half open for ${scale === 'short' ? 12 : 120} s`,
  needs: { regions: 2 },
  run: async (stage) => {
    const load = stage.load();
    await stage.seconds(2);
    stage.lab.regions[1]!.toPostgres.partition();
    await stage.seconds(stage.pick(12, 120));
    stage.lab.regions[1]!.toPostgres.heal();
    stage.healed();
    await load.end();
    const failed = stage.history.attempts.filter(({ outcome }) => outcome !== 'ok');
    stage.expect('accepting is untouched', failed.length === 0, `${failed.length} attempts failed`);
  },
};

const f70: Scenario = {
  id: 'F70',
  fault: 'a herd after an outage',
  done: (scale) =>
    `all intakes stopped 5 s; then ${herdRate} voters/s for ${scale === 'short' ? 10 : 60} s, then the usual rate; overload itself: test/load`,
  run: async (stage) => {
    const { intake } = stage.lab.home.services;
    const calm = stage.load();
    await stage.seconds(5);
    const before = p99(stage, 0, performance.now());
    for (const { process } of intake) process.pause();
    await stage.seconds(5);
    for (const { process } of intake) process.resume();
    const herd = stage.load({ rate: herdRate });
    await stage.seconds(stage.pick(10, 60));
    await herd.end();
    const overMs = performance.now();
    stage.healed();
    await stage.seconds(stage.pick(15, 60));
    const after = p99(stage, overMs + 8000, performance.now());
    await calm.end();
    const text = `p99 ${before.toFixed(0)} ms before, ${after.toFixed(0)} ms after`;
    stage.note(text);
    stage.expect('p99 is normal again', after < Math.max(2 * before, 100), text);
  },
};

export const regionScenarios: readonly Scenario[] = [f65, f67, f70];

const herdRate = 600;

/** How long voters who came in a span had to wait for their 201, in ms. */
function waitsOf(stage: Stage, fromMs: number, toMs: number): number[] {
  const voters = Map.groupBy(stage.history.attempts, ({ voteId }) => voteId);
  return [...voters.values()].flatMap((attempts) => {
    const first = attempts[0]!.sentMs;
    if (first < fromMs || first > toMs) return [];
    const ok = attempts.find(({ outcome }) => outcome === 'ok');
    return [ok === undefined ? Number.POSITIVE_INFINITY : ok.endMs - first];
  });
}

function p99(stage: Stage, fromMs: number, toMs: number): number {
  const took = stage.history.attempts
    .filter(({ outcome, sentMs }) => outcome === 'ok' && sentMs >= fromMs && sentMs < toMs)
    .map(({ sentMs, endMs }) => endMs - sentMs);
  return percentile(took, 0.99);
}
