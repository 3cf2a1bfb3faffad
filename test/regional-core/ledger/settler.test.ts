import { expect, test } from 'vitest';
import { createLog } from '#common/log.ts';
import { Settler } from '../../../regional-core/ledger/settler.ts';
import { ManualClock } from './manual-clock.ts';

const unending = new AbortController().signal;

/** A settler of sessions `due`, of which some cannot be settled and some are somebody else's. */
function settlerUnderTest() {
  const clock = new ManualClock(0);
  const state = { due: ['one', 'two', 'three'], broken: [] as string[], taken: [] as string[] };
  const asked: string[] = [];
  const settled: number[] = [];
  const settler = new Settler({
    store: {
      readThrough: () => Promise.resolve(state.due),
      settle: (sessionId) => {
        asked.push(sessionId);
        if (state.broken.includes(sessionId)) return Promise.reject(new Error('no such option'));
        return Promise.resolve(!state.taken.includes(sessionId));
      },
    },
    clock,
    log: createLog({ service: 'test' }, 'fatal' as 'error'),
    metrics: { settled: (count) => settled.push(count) },
  });
  return { settler, clock, state, asked, settled };
}

test('each session is settled by itself; one that fails holds up no other', async () => {
  const { settler, state, asked, settled } = settlerUnderTest();
  state.broken = ['one'];
  await settler.settleDue(unending);
  expect(asked).toEqual(['one', 'two', 'three']);
  expect(settled).toEqual([1, 1]);
});

test('one that failed is tried again after 30 s, not each second', async () => {
  const { settler, clock, state, asked } = settlerUnderTest();
  [state.due, state.broken] = [['one'], ['one']];
  await settler.settleDue(unending);
  await clock.move(29_999);
  await settler.settleDue(unending);
  expect(asked).toEqual(['one']);
  await clock.move(1);
  state.broken = [];
  await settler.settleDue(unending);
  expect(asked).toEqual(['one', 'one']);
});

test('what somebody else settles is not counted here', async () => {
  const { settler, state, settled } = settlerUnderTest();
  state.taken = ['two'];
  await settler.settleDue(unending);
  expect(settled).toEqual([1, 1]);
});

test('one that is cancelled because the ledger ends is no failure, and no other is begun', async () => {
  const said: string[] = [];
  const asked: string[] = [];
  const ending = new AbortController();
  const settler = new Settler({
    store: {
      readThrough: () => Promise.resolve(['one', 'two']),
      settle: (sessionId) => {
        asked.push(sessionId);
        ending.abort();
        return Promise.reject(new Error('canceling statement due to user request'));
      },
    },
    clock: new ManualClock(0),
    log: { error: (_: object, text: string) => said.push(text) } as never,
    metrics: { settled: () => undefined },
  });
  await settler.settleDue(ending.signal);
  expect(asked).toEqual(['one']);
  expect(said).toEqual([]);
});
