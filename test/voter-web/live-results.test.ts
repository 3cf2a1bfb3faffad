import { describe, expect, test } from 'vitest';
import type { Answer } from '../../voter-web/api.ts';
import {
  followResults,
  type LiveResults,
  type ResultsWorld,
  type StreamHandlers,
} from '../../voter-web/live-results.ts';

function snapshot(sequence: number, count: number, is_finalized = false) {
  const option = { option_id: 'o', label: 'O', vote_count: count, percentage: 100 };
  const last_updated = '2026-11-22T20:00:00.000Z';
  return {
    session_id: 's',
    total_votes: count,
    options: [option],
    last_updated,
    is_finalized,
    sequence,
  };
}

/** A world whose clock, stream and snapshots are moved by hand. */
function handWorld(answers: Answer[]) {
  const timers: { at: number; work: () => void }[] = [];
  const streams: { handlers: StreamHandlers; closed: boolean }[] = [];
  const told: LiveResults[] = [];
  let nowMs = 0;
  let asked = 0;
  const world: ResultsWorld = {
    askSnapshot: async () => {
      asked += 1;
      return answers.shift() ?? { kind: 'none' };
    },
    openStream: (handlers) => {
      const stream = { handlers, closed: false };
      streams.push(stream);
      return { close: () => (stream.closed = true) };
    },
    after: (ms, work) => {
      const timer = { at: nowMs + ms, work };
      timers.push(timer);
      return () => void timers.splice(timers.indexOf(timer), timers.includes(timer) ? 1 : 0);
    },
    now: () => nowMs,
    random: () => 0.5,
  };
  async function settle(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
  }
  async function pass(ms: number): Promise<void> {
    const until = nowMs + ms;
    for (;;) {
      const next = timers.toSorted((a, b) => a.at - b.at)[0];
      if (next === undefined || next.at > until) break;
      timers.splice(timers.indexOf(next), 1);
      nowMs = next.at;
      next.work();
      await settle();
    }
    nowMs = until;
  }
  const last = (): LiveResults | undefined => told.at(-1);
  const stop = followResults(world, (live) => told.push(live));
  return { streams, timers, settle, pass, last, stop, asked: () => asked };
}

const ok = (body: Record<string, unknown>): Answer => ({ kind: 'ok', status: 200, body });

describe('following results', () => {
  test('the snapshot paints first, the stream moves it on', async () => {
    const hand = handWorld([ok(snapshot(10, 5))]);
    await hand.settle();
    expect(hand.last()).toMatchObject({ mode: 'connecting', results: { total_votes: 5 } });
    hand.streams[0]?.handlers.onSnapshot(JSON.stringify(snapshot(11, 6)));
    hand.streams[0]?.handlers.onTick('{"t":9,"c":[[0,9]]}', '12');
    expect(hand.last()).toMatchObject({ mode: 'live', results: { total_votes: 9, sequence: 12 } });
    hand.stop();
  });

  test('a refused stream falls back to the snapshot, from 1 s to at most 30 s apart', async () => {
    const hand = handWorld(Array.from({ length: 50 }, (_, n) => ok(snapshot(n, n))));
    await hand.settle();
    const gaps: number[] = [];
    for (let failure = 0; failure < 10; failure++) {
      hand.streams.at(-1)?.handlers.onError(true);
      expect(hand.last()?.mode).toBe('polling');
      const before = hand.streams.length;
      let waited = 0;
      while (hand.streams.length === before) {
        await hand.pass(250);
        waited += 250;
      }
      gaps.push(waited);
    }
    expect(gaps[0]).toBeLessThanOrEqual(1000);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(30_000);
    expect(gaps.at(-1)).toBeGreaterThan(15_000);
    hand.stop();
  });

  test('a stream that never answers is given up after five seconds', async () => {
    const hand = handWorld([]);
    await hand.pass(5000);
    expect(hand.streams[0]?.closed).toBe(true);
    expect(hand.last()?.mode).toBe('polling');
    hand.stop();
  });

  test('a resumed stream with nothing to say counts as live', async () => {
    const hand = handWorld([ok(snapshot(10, 5))]);
    await hand.settle();
    hand.streams[0]?.handlers.onSnapshot(JSON.stringify(snapshot(10, 5)));
    hand.streams[0]?.handlers.onError(false);
    expect(hand.last()?.mode).toBe('connecting');
    hand.streams[0]?.handlers.onOpen();
    await hand.pass(10_000);
    expect(hand.last()?.mode).toBe('live');
    expect(hand.streams).toHaveLength(1);
    hand.stop();
  });

  test('a silent stream that a snapshot has overtaken is opened anew', async () => {
    const hand = handWorld([ok(snapshot(10, 5)), ok(snapshot(10, 5)), ok(snapshot(12, 8))]);
    await hand.settle();
    hand.streams[0]?.handlers.onSnapshot(JSON.stringify(snapshot(10, 5)));
    await hand.pass(45_000);
    expect(hand.streams).toHaveLength(1);
    await hand.pass(45_000);
    expect(hand.streams).toHaveLength(2);
    expect(hand.streams[0]?.closed).toBe(true);
    hand.stop();
  });

  test('a final result ends the stream, and nothing is asked for again', async () => {
    const hand = handWorld([ok(snapshot(10, 5, true))]);
    await hand.settle();
    expect(hand.last()?.mode).toBe('final');
    expect(hand.streams[0]?.closed).toBe(true);
    await hand.pass(600_000);
    expect(hand.asked()).toBe(1);
  });

  test('ending it leaves no stream and no timer', async () => {
    const hand = handWorld([ok(snapshot(10, 5))]);
    await hand.settle();
    hand.stop();
    expect(hand.streams.every((stream) => stream.closed)).toBe(true);
    expect(hand.timers).toEqual([]);
  });
});
