import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Place, Visibility } from './visibility.ts';

const region = 'us-east-1';

describe('visibility', () => {
  test('is reached with the first event that covers the next offset, not the vote’s own', () => {
    const waits: number[] = [];
    const screen = new Visibility((ms) => waits.push(ms));
    screen.await({ region, partition: 2, offset: 7 }, 1_000);
    screen.event({ [region]: [99, 99, 7] }, 1_100);
    expect(waits).toEqual([]);
    screen.event({ [region]: [99, 99, 8] }, 1_300);
    expect(waits).toEqual([300]);
    expect(screen.awaited).toBe(0);
  });

  test('is reached at once when the stream was quicker than the answer', () => {
    const waits: number[] = [];
    const screen = new Visibility((ms) => waits.push(ms));
    screen.event({ [region]: [5] }, 900);
    screen.await({ region, partition: 0, offset: 4 }, 1_000);
    expect(waits).toEqual([0]);
  });

  test('does not take another region’s offsets for its own', () => {
    const waits: number[] = [];
    const screen = new Visibility((ms) => waits.push(ms));
    screen.await({ region: 'us-west-2', partition: 0, offset: 0 }, 0);
    screen.event({ [region]: [10] }, 10);
    expect(waits).toEqual([]);
  });

  test('counts the votes that are overdue', () => {
    const screen = new Visibility(() => {});
    screen.await({ region, partition: 0, offset: 1 }, 100);
    screen.await({ region, partition: 1, offset: 1 }, 200);
    expect([screen.overdue(100), screen.overdue(150), screen.overdue(300)]).toEqual([0, 1, 2]);
  });

  test('comes once for each vote, whatever the order of receipts and events', () => {
    const place = fc.record({
      region: fc.constantFrom('a', 'b'),
      partition: fc.integer({ min: 0, max: 3 }),
      offset: fc.integer({ min: 0, max: 50 }),
    });
    const step = fc.oneof(
      place.map((vote) => ({ vote })),
      place.map((reached) => ({ reached })),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
        let seen = 0;
        const screen = new Visibility(() => (seen += 1));
        const covers = { a: [0, 0, 0, 0], b: [0, 0, 0, 0] };
        const votes: Place[] = [];
        for (const one of steps) {
          if ('vote' in one) {
            votes.push(one.vote);
            screen.await(one.vote, 0);
          } else {
            const { region: name, partition, offset } = one.reached;
            const offsets = covers[name];
            offsets[partition] = Math.max(offsets[partition]!, offset);
            screen.event(structuredClone(covers), 1);
          }
        }
        const passed = votes.filter((vote) => {
          return covers[vote.region as 'a' | 'b'][vote.partition]! > vote.offset;
        });
        expect(seen).toBe(passed.length);
        expect(screen.awaited).toBe(votes.length - passed.length);
      }),
    );
  });
});
