import { beforeEach, expect, test } from 'vitest';
import type { Clock } from '#common/clock.ts';
import { decodeSessionsMessage, type SessionsMessage } from '#common/contracts/session.ts';
import {
  type Covers,
  decodeTotalsMessage,
  type TotalsMessage,
} from '#common/contracts/vote-aggregated.ts';
import { createLog } from '#common/log.ts';
import { Registry } from '#common/metrics.ts';
import { createPublisherMetrics } from '../../../regional-core/publisher/metrics.ts';
import { Publisher } from '../../../regional-core/publisher/publisher.ts';
import type { TotalsRead } from '../../../regional-core/publisher/sql/read-totals.ts';
import { nothingTold, TellingTotals, type Told } from '../../../regional-core/publisher/told.ts';
import { sessionMessage } from '../../support/session.ts';

const session = sessionMessage({
  session_no: 7,
  options: ['a', 'b'].map((option_id) => ({ option_id, label: option_id })),
  opens_at_ms: 1000,
  closes_at_ms: 2000,
  sealed_at_ms: null,
  final: null,
});

/** A clock that stands until time is let pass; whoever waits is woken in order. */
function standingClock(): Clock & { pass: (ms: number) => Promise<void> } {
  let nowMs = 1_000_000;
  const waiting = new Set<{ atMs: number; act: () => void }>();
  return {
    now: () => nowMs,
    monotonicMs: () => nowMs,
    after: (ms, act) => {
      const one = { atMs: nowMs + ms, act };
      waiting.add(one);
      return () => waiting.delete(one);
    },
    pass: async (ms) => {
      for (const untilMs = nowMs + ms; nowMs < untilMs; nowMs += 10) {
        for (const one of waiting) {
          if (one.atMs > nowMs + 10) continue;
          waiting.delete(one);
          one.act();
        }
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
  };
}

/** The database, as far as the publisher sees it. */
let read: TotalsRead;
let sinces: Covers[];
let isAway: boolean;
let areLost: boolean;
let totals: TotalsMessage[];
let others: SessionsMessage[];
const clock = standingClock();

beforeEach(() => {
  read = { epoch: 1, corrections: 0, covers: { here: [5] }, sessions: [totalsOf(3, 2)] };
  [sinces, totals, others, isAway, areLost] = [[], [], [], false, false];
});

function totalsOf(a: number, b: number) {
  return { sessionNo: 7, counts: { 0: a, 1: b } };
}

/** Runs a publisher for as long as the steps take. */
async function publish(told: Told, steps: (publisher: Publisher) => Promise<void>): Promise<void> {
  const ending = new AbortController();
  const whenThere = <T>(value: T): Promise<T> =>
    isAway ? Promise.reject(new Error('away')) : Promise.resolve(value);
  const publisher = new Publisher({
    store: {
      readSessions: () => whenThere([session]),
      readBallotKeys: () => whenThere([]),
      readSealKeys: () => whenThere([]),
      readRegions: () => whenThere({ epoch: 1, lost: [] }),
      readTotals: (since) => {
        sinces.push(since);
        return whenThere(read);
      },
    },
    clock,
    log: createLog({ service: 'test' }, 'error', { write: () => undefined }),
    metrics: createPublisherMetrics(new Registry()),
    sendTotals: (messages) => {
      if (areLost) return Promise.reject(new Error('not acknowledged'));
      totals.push(...messages.map(({ value }) => decodeTotalsMessage(value)!));
      return Promise.resolve();
    },
    sendSessions: (messages) => {
      others.push(...messages.map(({ value }) => decodeSessionsMessage(value)!));
      return Promise.resolve();
    },
    told,
  });
  const running = publisher.run(ending.signal);
  await clock.pass(1000);
  await steps(publisher);
  ending.abort();
  await clock.pass(100);
  await running;
}

const staleWords = (): (number | null)[] =>
  others.flatMap((message) => (message.type === 'totals_stale' ? [message.since_ms] : []));

test('sums what changed since the last read, and everything after a correction', async () => {
  await publish(nothingTold, async () => {
    sinces = [];
    await clock.pass(1000);
    expect(sinces.every((since) => since['here']?.[0] === 5)).toBe(true);
    read = { ...read, corrections: 1 };
    sinces = [];
    await clock.pass(1000);
    expect(sinces.slice(0, 3)).toEqual([{ here: [5] }, {}, { here: [5] }]);
    expect(totals.at(-1)).toMatchObject({ corrections: 1, sequence: 2 ** 40 + 6 });
  });
});

test('sums everything after a failure, and every half minute', async () => {
  await publish(nothingTold, async (publisher) => {
    isAway = true;
    await clock.pass(1000);
    expect(publisher.trouble).toBe('postgres or kafka does not answer');
    isAway = false;
    sinces = [];
    await clock.pass(1000);
    expect(publisher.trouble).toBeUndefined();
    expect(sinces[0]).toEqual({});
    sinces = [];
    await clock.pass(30_000);
    expect(sinces.filter((since) => since['here'] === undefined)).toHaveLength(1);
  });
});

test('totals that were not acknowledged are sent again although nothing changed', async () => {
  await publish(nothingTold, async () => {
    read = { ...read, covers: { here: [6] }, sessions: [totalsOf(3, 3)] };
    areLost = true;
    await clock.pass(1000);
    totals = [];
    areLost = false;
    await clock.pass(1500);
    expect(totals[0]).toMatchObject({ total_votes: 6, covers: { here: [6] } });
  });
});

test('behind what was told it holds, says since when, and goes on when it has caught up', async () => {
  const told = { epoch: 1, covers: { here: [9] }, corrections: 0 };
  await publish({ ...nothingTold, totals: told }, async (publisher) => {
    expect(totals).toEqual([]);
    expect(publisher.trouble).toBe('behind');
    expect(staleWords().at(-1)).toBeGreaterThan(0);
    read = { ...read, covers: { here: [9] }, sessions: [totalsOf(5, 4)] };
    await clock.pass(1000);
    expect(totals[0]).toMatchObject({ total_votes: 9 });
    expect(publisher.trouble).toBeUndefined();
    expect(staleWords().at(-1)).toBeNull();
  });
});

test('other winners at the same offsets: the fall is listed, also by those that come after', async () => {
  const fallen = { kind: 'replay' as const, moved: 2 };
  await publish(nothingTold, async () => {
    // Nothing tells of it but the counts: every half minute all are read.
    read = { ...read, sessions: [totalsOf(1, 4)] };
    await clock.pass(1000);
    expect(totals.at(-1)).toMatchObject({ counts: [1, 4], corrected: [fallen] });
    totals = [];
    read = { ...read, covers: { here: [6] }, sessions: [totalsOf(1, 5)] };
    await clock.pass(1000);
    expect(totals.at(-1)).toMatchObject({ counts: [1, 5], corrected: [fallen] });
  });
  const telling = new TellingTotals();
  telling.hear(totals.at(-1)!);
  totals = [];
  await publish({ ...nothingTold, ...telling.told }, () => Promise.resolve());
  expect(totals[0]).toMatchObject({ counts: [1, 5], corrected: [fallen] });
});

test('a fall stays listed when the message that listed it first was not acknowledged', async () => {
  await publish(nothingTold, async () => {
    read = { ...read, sessions: [totalsOf(1, 4)] };
    areLost = true;
    await clock.pass(1000);
    areLost = false;
    totals = [];
    await clock.pass(1500);
    expect(totals[0]).toMatchObject({ corrected: [{ kind: 'replay', moved: 2 }] });
  });
});

test('when the database is away for longer than two seconds, totals are called stale', async () => {
  await publish(nothingTold, async () => {
    expect(staleWords()).toEqual([null]);
    isAway = true;
    await clock.pass(1500);
    expect(staleWords()).toEqual([null]);
    await clock.pass(1500);
    expect(staleWords()).toHaveLength(2);
    isAway = false;
    await clock.pass(1500);
    expect(staleWords().at(-1)).toBeNull();
  });
});
