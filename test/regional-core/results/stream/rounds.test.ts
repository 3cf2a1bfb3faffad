import { expect, test } from 'vitest';
import { systemClock } from '#common/clock.ts';
import { Snapshots } from '../../../../regional-core/results/snapshot/snapshots.ts';
import { ResultsState } from '../../../../regional-core/results/state.ts';
import { Channel } from '../../../../regional-core/results/stream/channel.ts';
import { Rounds } from '../../../../regional-core/results/stream/rounds.ts';
import type { Stream } from '../../../../regional-core/results/stream/stream.ts';
import { aSession, opensAtMs, sessionId, totalsAt, until } from '../harness.ts';

interface Offer {
  readonly stream: Stream;
  readonly text: string;
}

/** Rounds over streams that are only told apart, with what was offered to them. */
function startRounds(streamCount: number, onOffer: () => void = () => undefined) {
  const state = new ResultsState();
  state.takeSession(aSession(), 0);
  const channel = new Channel(state.get(sessionId)!, opensAtMs);
  const { streams } = channel.groupOf('public', { format: 'tick', withCovers: false });
  for (let no = 0; no < streamCount; no++) streams.add({ sequence: 0 } as Stream);
  const offers: Offer[] = [];
  let encodes = 0;
  let roundsDone = 0;
  const rounds = new Rounds({
    state,
    snapshots: new Snapshots(() => undefined),
    clock: {
      now: () => opensAtMs,
      monotonicMs: () => 0,
      after: (ms, act) => systemClock.after(ms, act),
    },
    onEncode: () => encodes++,
    offer: (stream, _, chunk) => {
      offers.push({ stream, text: chunk.raw.toString() });
      onOffer();
    },
    onRoundDone: () => roundsDone++,
  });
  const tell = (offset: number): void => {
    state.takeTotals(totalsAt(offset, [offset, 0, 0]));
    rounds.add(channel);
  };
  return { tell, streams, offers, counts: () => ({ encodes, roundsDone }) };
}

test('a tick is encoded once, and each stream is offered the same bytes once', async () => {
  const { tell, streams, offers, counts } = startRounds(500);
  tell(1);
  await until(() => counts().roundsDone === 1, 'the round');
  expect(new Set(offers.map(({ stream }) => stream))).toEqual(streams);
  expect(offers).toHaveLength(500);
  expect(new Set(offers.map(({ text }) => text)).size).toBe(1);
  expect(counts().encodes).toBe(1);
});

test('a round over many streams leaves room for requests', async () => {
  let turns = 0;
  const spin = (): void => {
    const untilMs = performance.now() + 0.005;
    while (performance.now() < untilMs);
  };
  const { tell, offers, counts } = startRounds(20_000, spin);
  tell(1);
  while (counts().roundsDone === 0) {
    await new Promise((resolve) => setImmediate(resolve));
    turns += 1;
  }
  expect(offers).toHaveLength(20_000);
  // 100 ms of work in slices of 10 ms.
  expect(turns).toBeGreaterThanOrEqual(5);
});

test('what changes while a round is under way is one round after it, with the latest totals', async () => {
  let told = false;
  const rounds = startRounds(3, () => {
    if (told) return;
    told = true;
    for (let offset = 2; offset <= 50; offset++) rounds.tell(offset);
  });
  rounds.tell(1);
  await until(() => rounds.counts().roundsDone === 2, 'both rounds');
  expect(rounds.offers.map(({ text }) => /"t":(\d+)/.exec(text)![1])).toEqual([
    '1',
    '1',
    '1',
    '50',
    '50',
    '50',
  ]);
  expect(rounds.counts().encodes).toBe(2);
});

test('a stream that joins or leaves during a round hears of it as it should', async () => {
  const latecomer = { sequence: 2 ** 40 + 1 } as Stream;
  let acted = false;
  const rounds = startRounds(3, () => {
    if (acted) return;
    acted = true;
    const [, second] = rounds.streams;
    rounds.streams.delete(second!);
    // Opened meanwhile: its snapshot has told it of this tick already.
    rounds.streams.add(latecomer);
  });
  rounds.tell(1);
  await until(() => rounds.counts().roundsDone === 1, 'the round');
  expect(rounds.offers).toHaveLength(2);
  rounds.tell(2);
  await until(() => rounds.counts().roundsDone === 2, 'the next round');
  expect(rounds.offers.slice(2).map(({ stream }) => stream)).toContain(latecomer);
});
