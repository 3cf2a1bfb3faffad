import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Known } from '../../../../regional-core/results/state.ts';
import {
  encodeChange,
  isSameView,
  needsSnapshot,
  streamFormats,
} from '../../../../regional-core/results/stream/change.ts';
import { tick, voteUpdate } from '../../../../regional-core/results/stream/contract.ts';
import { type View, viewOf } from '../../../../regional-core/results/view.ts';
import { EventSourceParser } from '../event-source.ts';
import { aSession, closesAtMs, json, opensAtMs, totalsAt } from '../harness.ts';

const session = aSession();

function view(offset: number, counts: readonly number[] | null, of = session): View {
  const known: Known = {
    session: of,
    totals: totalsAt(offset, counts),
    staleSinceMs: null,
    heardAtMs: 0,
    revision: 1,
  };
  return viewOf(known, 'public', opensAtMs);
}

const counts = fc.tuple(fc.nat(50), fc.nat(50), fc.nat(50));

test('a client that applies each tick to the snapshot shows the latest counts', () => {
  fc.assert(
    fc.property(
      fc.array(counts, { minLength: 1, maxLength: 10 }),
      fc.constantFrom(...streamFormats),
      fc.boolean(),
      (steps, format, withCovers) => {
        const parser = new EventSourceParser();
        let previous = view(0, [0, 0, 0]);
        const shown = [0, 0, 0];
        let total = 0;
        steps.forEach((step, index) => {
          const next = view(index + 1, step);
          parser.push(encodeChange(previous, next, { format, withCovers }) ?? '');
          previous = next;
        });
        for (const { event, data } of parser.events) {
          if (event === 'message') {
            const { t, c } = tick.parse(json(data));
            total = t;
            for (const [optionNo, count] of c) shown[optionNo] = count;
          } else {
            const update = voteUpdate.parse(json(data));
            total = update.total_votes;
            const optionNo = session.options.findIndex((o) => o.option_id === update.option_id);
            if (optionNo >= 0) shown[optionNo] = update.new_count!;
          }
        }
        expect(shown).toEqual(steps.at(-1));
        expect(total).toBe(previous.totalVotes);
        if (withCovers) {
          expect(json(parser.events.at(-1)!.data)['covers']).toEqual(previous.covers);
          expect(parser.events.at(-1)!.lastEventId).toBe(String(previous.sequence));
        }
      },
    ),
  );
});

test('only the last event of a tick carries the id and the covers', () => {
  const form = { format: 'vote_update', withCovers: true } as const;
  const text = encodeChange(view(1, [0, 0, 0]), view(2, [1, 1, 1]), form)!;
  expect(text.match(/^id: .*$/gm)).toEqual([`id: ${2 ** 40 + 2}`]);
  expect(text.match(/"covers"/g)).toHaveLength(1);
  expect(text.trimEnd().split('\n\n').at(-1)).toMatch(/^id: .*\nevent: .*\ndata: .*"covers"/);
});

test('while counts are hidden the total moves and no option is named', () => {
  const previous = view(1, null);
  const next = view(5, null);
  const tickText = encodeChange(previous, next, { format: 'tick', withCovers: false });
  expect(tickText).toContain('data: {"t":5,"c":[]}\n');
  const updates = new EventSourceParser();
  updates.push(encodeChange(previous, next, { format: 'vote_update', withCovers: false })!);
  expect(updates.events).toHaveLength(1);
  expect(voteUpdate.parse(json(updates.events[0]!.data))).toMatchObject({
    option_id: null,
    new_count: null,
    total_votes: 5,
  });
});

test('offsets that moved without a count are told only to who asked for covers', () => {
  const [previous, next] = [view(1, [1, 0, 0]), view(2, [1, 0, 0])];
  for (const format of streamFormats) {
    expect(encodeChange(previous, next, { format, withCovers: false })).toBeUndefined();
    expect(encodeChange(previous, next, { format, withCovers: true })).toContain('"covers"');
  }
});

test('an edited session, a new state, counts in or out of sight and an equal sequence need a snapshot', () => {
  const before = view(1, [1, 0, 0]);
  expect(needsSnapshot(before, view(2, [2, 0, 0]))).toBe(false);
  expect(needsSnapshot(before, view(2, [2, 0, 0], aSession({ version: 2 })))).toBe(true);
  expect(needsSnapshot(before, view(1, [2, 0, 0]))).toBe(true);
  expect(needsSnapshot(before, view(2, null))).toBe(true);
  const closed = viewOf(view(2, [2, 0, 0]).known, 'public', closesAtMs);
  expect(needsSnapshot(before, closed)).toBe(true);
});

test('a view is the same until something of it changes, by message or by clock', () => {
  const before = view(1, [1, 0, 0]);
  expect(isSameView(before, viewOf(before.known, 'public', opensAtMs + 5))).toBe(true);
  expect(isSameView(before, viewOf(before.known, 'public', closesAtMs))).toBe(false);
  expect(isSameView(before, view(1, [1, 0, 0]))).toBe(false);
});

test('a tick of ten options is small enough for 1.2 kB a second', () => {
  const options = Array.from({ length: 10 }, (_, index) => ({
    option_id: `o${index}`,
    label: 'x',
  }));
  const ten = aSession({ options });
  const millions = Array<number>(10).fill(25_000_000);
  const next = view(300_000_000, millions, ten);
  const text = encodeChange(view(1, Array<number>(10).fill(1), ten), next, {
    format: 'tick',
    withCovers: false,
  });
  expect(Buffer.byteLength(text!) * 5).toBeLessThan(1200);
});
