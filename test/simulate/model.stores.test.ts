import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { regionNo } from '#common/region-no.ts';
import type { LedgerStore } from '../../regional-core/ledger/ledger-store.ts';
import { createPostgresLedgerStore } from '../../regional-core/ledger/postgres-ledger-store.ts';
import type { LogIdentity } from '../../regional-core/ledger/sql/count-batch.ts';
import { standbyNo } from '../../regional-core/ledger/sql/standby-no.ts';
import { createTestDatabase } from '../support/database.ts';
import { randomSteps, type Step } from './batch-sequence.ts';
import { countBatch } from './model/count.ts';
import { declareLost, leasePartitions, releasePartitions } from './model/lease.ts';
import { listUnsealed } from './model/results.ts';
import { listReadThrough, settle } from './model/settle.ts';
import { emptyState, type State, unread } from './model/state.ts';
import { Random } from './random.ts';
import { readSnapshot, type Snapshot, takeSnapshot } from './snapshot.ts';

const database = await createTestDatabase();
const [ledger, admin] = [database.pool('ledger', 4), database.pool('postgres', 4)];

const partitions = 3;
const sequences = 500;
// Not in the order of their numbers: the rule compares ids.
const optionIds = ['mango', 'apple', 'zebra', 'kiwi'];
const closesAtMs = Date.now() - 3_600_000;

const state = emptyState();
const model = modelStore(state);
const postgres = createPostgresLedgerStore(ledger);
const [east, west] = [await installRegion('us-east-1'), await installRegion('us-west-2')];
const standby = await installStandby();

/** Only the store that is asked differs: times are far enough away for both clocks. */
function modelStore(of: State): LedgerStore {
  const now = async <T>(act: () => T): Promise<T> => act();
  return {
    lease: (identity, worker) => now(() => leasePartitions(of, identity, worker, Date.now())),
    count: (identity, epochMin, batch) =>
      now(() => countBatch(of, identity, epochMin, batch, Date.now())),
    release: (identity, workerId) => now(() => releasePartitions(of, identity.regionNo, workerId)),
    unsealed: (identity, held, closedForMs) =>
      now(() => listUnsealed(of, identity.regionNo, held, Date.now() - closedForMs)),
    readThrough: () => now(() => listReadThrough(of, Date.now())),
    settle: (sessionId) => now(() => settle(of, sessionId, Date.now())),
  };
}

async function installRegion(name: string): Promise<LogIdentity> {
  const no = await regionNo(ledger, name);
  state.logs.set(no, { ...unread, no, name, standsFor: undefined, host: no });
  const identity = { regionNo: no, clusterId: name, topicId: randomUUID() };
  await lease(identity);
  return identity;
}

async function installStandby(): Promise<LogIdentity> {
  const no = await standbyNo(ledger, 'us-west-2', 'us-east-1');
  const name = 'us-west-2@us-east-1';
  const [standsFor, host] = [west.regionNo, east.regionNo];
  state.logs.set(no, { ...unread, no, name, standsFor, host });
  const identity = { regionNo: no, clusterId: 'us-east-1', topicId: randomUUID() };
  await lease(identity);
  return identity;
}

async function lease(identity: LogIdentity): Promise<void> {
  const step = {
    do: 'lease',
    log: identity,
    worker: randomUUID(),
    epochMin: 1,
    layoutReadAtMs: 1,
  } as const;
  expect(await outcome(postgres, step)).toEqual(await outcome(model, step));
  const end = { ...step, do: 'release' } as const;
  expect(await outcome(postgres, end)).toEqual(await outcome(model, end));
}

async function createSession(): Promise<{ sessionId: string; sessionNo: number }> {
  const sessionId = randomUUID();
  const options = optionIds.map((option_id) => ({ option_id, label: option_id }));
  const [opensAt, closesAt] = [new Date(closesAtMs - 60_000), new Date(closesAtMs)];
  const { rows } = await admin.query<{ session_no: number }>(
    `INSERT INTO votes.voting_sessions
       (session_id, title, options, opens_at, closes_at, eligibility, results_policy, created_by)
     VALUES ($1, 'A session', $2, $3, $4, '{code}', 'live', 'test') RETURNING session_no`,
    [sessionId, JSON.stringify(options), opensAt, closesAt],
  );
  const sessionNo = rows[0]!.session_no;
  await admin.query('SELECT votes.create_vote_table($1)', [sessionNo]);
  state.sessions.set(sessionId, {
    no: sessionNo,
    id: sessionId,
    version: 1,
    optionIds,
    opensAtMs: opensAt.getTime(),
    closesAtMs,
    sealedAtMs: null,
    final: null,
  });
  return { sessionId, sessionNo };
}

async function settleAll(store: LedgerStore): Promise<string[]> {
  const settled: string[] = [];
  for (const sessionId of await store.readThrough()) {
    if (await store.settle(sessionId, new AbortController().signal)) settled.push(sessionId);
  }
  return settled.toSorted();
}

/** What a store answers, or the code by which it refuses. */
async function outcome(store: LedgerStore, step: Step): Promise<unknown> {
  try {
    switch (step.do) {
      case 'count':
        return await store.count(step.log, step.epochMin, step.batch);
      case 'settle':
        return await settleAll(store);
      case 'lease': {
        const { worker: id, epochMin } = step;
        const layout = { partitions, readAtMs: step.layoutReadAtMs };
        const held = await store.lease(step.log, { id, layout, ttlMs: 600_000, epochMin });
        return { ...held, positions: [...held.positions].toSorted(([a], [b]) => a - b) };
      }
      case 'release':
        return await store.release(step.log, step.worker);
      case 'unsealed': {
        const due = await store.unsealed(step.log, [0, 1, 2], 1000);
        return due.toSorted((a, b) => (a.sessionId < b.sessionId ? -1 : 1));
      }
    }
  } catch (error) {
    return { refused: (error as { code?: string }).code ?? 'P0001' };
  }
}

/** Makes one sequence of both stores and gives what each of them holds after it. */
async function runSequence(seed: number): Promise<{ real: Snapshot; modelled: Snapshot }> {
  const random = new Random(seed);
  const { sessionId, sessionNo } = await createSession();
  const isLost = state.logs.get(west.regionNo)!.isLost;
  const steps = randomSteps({
    random,
    sessionId,
    closesAtMs,
    // Each later than the one before: what was read for that one is too old.
    sealsAtMs: closesAtMs + 6000 + seed * 10,
    options: optionIds.length,
    logs: isLost ? [east, standby] : [east, west],
    partitions,
    epoch: state.epoch,
    next: (logNo, partition) => state.offsets.get(logNo * 1000 + partition)!.next,
  });
  for (const step of steps) {
    const said = await outcome(model, step);
    expect(await outcome(postgres, step), `sequence ${seed}: ${JSON.stringify(step)}`).toEqual(
      said,
    );
  }
  // What belongs to all sessions grows with them.
  const isWhole = seed % 25 === 0 || seed === sequences;
  return {
    real: await readSnapshot(admin, sessionNo, isWhole),
    modelled: takeSnapshot(state, sessionNo, isWhole),
  };
}

async function loseWest(): Promise<void> {
  await admin.query('SELECT votes.declare_lost($1, $2, $3)', ['us-west-2', 1, Buffer.from('act')]);
  declareLost(state, west.regionNo);
}

const found: { real: Snapshot; modelled: Snapshot }[] = [];

test(`${sequences} random sequences end alike in Postgres and in the model`, {
  timeout: 300_000,
}, async () => {
  for (let seed = 1; seed <= sequences; seed++) {
    if (seed === Math.ceil(sequences * 0.8)) await loseWest();
    const pair = await runSequence(seed);
    expect(pair.real, `sequence ${seed}`).toEqual(pair.modelled);
    found.push(pair);
  }
  const sealed = found.filter(({ real }) => real.isSealed).length;
  expect(sealed).toBeGreaterThan(sequences / 2);
});

describe.each([
  ['Postgres', 'real'],
  ['the model', 'modelled'],
] as const)('%s', (_, which) => {
  const numbers = (line: string): number[] => line.match(/-?\d+/g)!.map(Number);
  const sum = (all: readonly number[]): number => all.reduce((total, next) => total + next, 0);

  test('has one row a voter, and tallies that are the rows', () => {
    for (const { [which]: snapshot } of found) {
      const voters = snapshot.rows.map((line) => line.split(' ')[0]);
      expect(new Set(voters).size).toBe(voters.length);
      for (const option of optionIds.keys()) {
        const rows = snapshot.rows.filter((line) => line.split(' ')[1] === String(option));
        const tallies = snapshot.tallies.filter((line) => line.startsWith(`${option} `));
        expect(sum(tallies.map((line) => numbers(line).at(-1)!))).toBe(rows.length);
      }
    }
  });

  test('has a verdict for each record that was read', () => {
    const judged = new Map<string, number>();
    for (const { [which]: snapshot } of found) {
      for (const line of snapshot.verdicts) {
        const [place, ...counts] = line.split(' ');
        const verdicts = sum(counts.slice(0, 6).map(Number));
        judged.set(place!, (judged.get(place!) ?? 0) + verdicts);
      }
    }
    const strays = [...state.verdicts].filter(([key]) => key.startsWith('0:'));
    for (const [key, row] of strays) {
      const place = key.split(':').slice(1).join('/');
      judged.set(place, (judged.get(place) ?? 0) + row.quarantined + row.control);
    }
    for (const line of found.at(-1)![which].offsets) {
      const [place, next] = line.split(' ');
      expect(judged.get(place!) ?? 0, place).toBe(Number(next));
    }
  });

  test('counts nobody by a record that is late or behind a seal', () => {
    for (const { [which]: snapshot } of found) {
      const seals = new Map(
        snapshot.seals.map((line) => line.split(/\/(?=\d+$)/) as [string, string]),
      );
      for (const line of snapshot.rows) {
        const [, , ms, place] = line.split(' ');
        const [partition, offset] = place!.split(/\/(?=\d+$)/) as [string, string];
        expect(Number(ms)).toBeLessThanOrEqual(closesAtMs);
        const seal = seals.get(partition);
        if (seal !== undefined) expect(Number(offset)).toBeLessThan(Number(seal));
      }
    }
  });

  test('settles for the smallest time and option id, and keeps who was ousted', () => {
    for (const { [which]: snapshot } of found.filter((pair) => pair[which].isSealed)) {
      for (const line of snapshot.conflicts) {
        const [voteId, option, ms] = line.split(' ');
        const row = snapshot.rows.find((candidate) => candidate.startsWith(voteId!))!;
        const [, rowOption, rowMs] = row.split(' ');
        const isBefore =
          Number(ms) < Number(rowMs) ||
          (ms === rowMs && optionIds[Number(option)]! < optionIds[Number(rowOption)]!);
        expect(isBefore, `${line} against ${row}`).toBe(false);
      }
    }
  });
});
