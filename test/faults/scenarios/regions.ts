import { verifyReceipt } from '#common/contracts/receipt.ts';
import type { Scenario } from '../scenario.ts';
import type { Stage } from '../stage.ts';
import { acceptedP99 } from './latency.ts';

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
    const longest = waits.reduce((most, waitMs) => Math.max(most, waitMs), 0) / 1000;
    stage.note(`longest wait of a voter ${longest.toFixed(1)} s`);
    stage.expect('clients are elsewhere within 10 s', longest < 10, `${longest.toFixed(1)} s`);
  },
};

const f66: Scenario = {
  id: 'F66',
  fault: 'a region is destroyed; votes lie in two regions',
  done: () =>
    'two-regions: the second region does not reach Postgres for 4 s, then all of it is gone; declared lost, its copies are read',
  needs: { regions: 2, durability: 'two-regions' },
  isDestructive: true,
  run: async (stage) => {
    const doomed = stage.lab.regions[1]!;
    const load = stage.load();
    await stage.seconds(3);
    doomed.toPostgres.partition();
    await stage.seconds(4);
    await doomed.destroy();
    await stage.seconds(1);
    await declareLost(stage);
    stage.healed();
    await stage.seconds(4);
    await load.end();
    expectBothRegions(stage);
  },
};

const f66r: Scenario = {
  id: 'F66r',
  fault: 'a region is destroyed; votes lie in one region',
  done: () =>
    'region: the second region counts nothing for 4 s (ledgers killed), then all of it is gone; the missing receipts per partition, and what the system says',
  needs: { regions: 2 },
  isDestructive: true,
  run: async (stage) => {
    const doomed = stage.lab.regions[1]!;
    await stage.loadFor(3);
    await Promise.all(doomed.services.ledger.map(({ process }) => process.kill()));
    await stage.loadFor(4, { patienceMs: 10_000 });
    // The other reader of the log counts on, and its count survives the region.
    await stage.seconds(4);
    await doomed.destroy();
    await declareLost(stage);
    stage.healed();
    const missing = await missingReceipts(stage);
    for (const voteId of missing.votes) stage.mayBeLost.add(voteId);
    stage.note(`${missing.votes.size} receipts are missing, all listed`);
    stage.expect('some were lost', missing.votes.size > 0, `${missing.votes.size}`);
    const { told, system } = missing;
    stage.expect(
      'the system says the same for each partition',
      told === system,
      `${told} | ${system}`,
    );
    await stage.loadFor(3);
  },
};

const f45f66: Scenario = {
  id: 'F45+F66',
  fault: 'lossy failover, and the region whose votes fell back is destroyed',
  done: (scale) =>
    `two-regions: ${scale === 'short' ? 6 : 30} s of lost WAL, kill -9 of the primary and of the second region with its disks, promotion, declared lost`,
  needs: { regions: 2, durability: 'two-regions' },
  isDestructive: true,
  run: async (stage) => {
    const { postgres } = stage.lab;
    const load = stage.load();
    await stage.seconds(3);
    await postgres.stopReplication();
    await stage.seconds(stage.pick(6, 30));
    await Promise.all([postgres.killPrimary(), stage.lab.regions[1]!.destroy()]);
    await postgres.failOver();
    await declareLost(stage);
    stage.healed();
    await stage.seconds(5);
    await load.end();
    expectBothRegions(stage);
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
    stage.expectNoneFailed();
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
    const before = acceptedP99(stage, 0, performance.now());
    for (const { process } of intake) process.pause();
    await stage.seconds(5);
    for (const { process } of intake) process.resume();
    const herd = stage.load({ rate: herdRate });
    await stage.seconds(stage.pick(10, 60));
    await herd.end();
    const overMs = performance.now();
    stage.healed();
    await stage.seconds(stage.pick(15, 60));
    const after = acceptedP99(stage, overMs + 8000, performance.now());
    await calm.end();
    const text = `p99 ${before.toFixed(0)} ms before, ${after.toFixed(0)} ms after`;
    stage.note(text);
    stage.expect('p99 is normal again', after < Math.max(2 * before, 100), text);
  },
};

export const regionScenarios: readonly Scenario[] = [f65, f66, f66r, f45f66, f67, f70];

const herdRate = 600;

/** What two people do with `npm run recover`, without the people. */
async function declareLost({ lab }: Stage): Promise<void> {
  await lab.postgres.run(`SELECT votes.declare_lost($1, epoch, sha256('lab')) FROM votes.epoch`, [
    lab.regions[1]!.name,
  ]);
}

/** What the destroyed region accepted lives on, but for receipts that promised that region alone. */
function expectBothRegions(stage: Stage): void {
  const { lab, history } = stage;
  const { name } = lab.regions[1]!;
  const receipts = history.attempts.flatMap(({ answer }) => {
    const receipt = answer && verifyReceipt(answer.receipt, lab.keys.receipts);
    return receipt?.region === name ? [receipt] : [];
  });
  const inOne = receipts.filter(({ durability }) => durability !== 'two-regions');
  for (const { vote_id: voteId } of inOne) stage.mayBeLost.add(voteId);
  // While the other region is slow to answer, receipts say so and votes are taken all the same.
  const promised = `${receipts.length} receipts of the destroyed region, ${inOne.length} promised it alone`;
  stage.note(promised);
  stage.expect('it promised two regions', receipts.length > 4 * inOne.length, promised);
}

/** Receipts of the destroyed region beyond what was read, and what its second reader had counted. */
async function missingReceipts(
  stage: Stage,
): Promise<{ votes: Set<string>; told: string; system: string }> {
  const { lab, history } = stage;
  const { name } = lab.regions[1]!;
  const rows = await lab.postgres.run<{ partition: number; read: number; counted: number }>(
    `SELECT o.partition::int AS partition, o.next_offset AS read, c.next_offset AS counted
     FROM votes.offsets o JOIN votes.regions USING (region_no)
     JOIN votes.log_counts c USING (region_no, partition) WHERE region = $1 ORDER BY partition`,
    [name],
  );
  const readTo = new Map(rows.map(({ partition, read }) => [partition, read]));
  const votes = new Set<string>();
  const perPartition = new Map<number, Set<number>>();
  for (const { answer, voteId } of history.attempts) {
    const receipt = answer && verifyReceipt(answer.receipt, lab.keys.receipts);
    if (receipt?.region !== name) continue;
    if (receipt.offset < (readTo.get(receipt.partition) ?? 0)) continue;
    votes.add(voteId);
    const offsets = perPartition.get(receipt.partition) ?? new Set();
    perPartition.set(receipt.partition, offsets.add(receipt.offset));
  }
  return {
    votes,
    told: rows.map(({ partition }) => perPartition.get(partition)?.size ?? 0).join(' '),
    system: rows.map(({ read, counted }) => counted - read).join(' '),
  };
}

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
