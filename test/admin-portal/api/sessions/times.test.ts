import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DAY_MS } from '#common/clock.ts';
import { sessionChangeAheadMs, sessionState } from '#common/contracts/session.ts';
import {
  decideClosing,
  decideOpening,
  sessionMsMax,
  tooLong,
} from '../../../../admin-portal/api/sessions/times.ts';

const nowMs = 1_900_000_000_000;
const someTimes = fc
  .tuple(
    fc.integer({ min: -20 * DAY_MS, max: 20 * DAY_MS }),
    fc.integer({ min: 1, max: 10 * DAY_MS }),
  )
  .map(([opens, length]) => ({ opensAtMs: nowMs + opens, closesAtMs: nowMs + opens + length }));

function stateOf(times: { opensAtMs: number; closesAtMs: number }, atMs: number) {
  return sessionState({ opens_at_ms: times.opensAtMs, closes_at_ms: times.closesAtMs }, atMs);
}

describe('opening', () => {
  test('ends in an open session or a reason, and never moves the closing time', () => {
    fc.assert(
      fc.property(someTimes, (times) => {
        const decision = decideOpening(times, nowMs);
        if ('refused' in decision) {
          expect(stateOf(times, nowMs)).not.toBe('open');
          return;
        }
        const after = 'unchanged' in decision ? times : decision.change;
        expect(stateOf(after, nowMs)).toBe('open');
        expect(after.closesAtMs).toBe(times.closesAtMs);
        if ('change' in decision) expect(tooLong(after)).toBeUndefined();
      }),
    );
  });

  test('is refused when the session would be open longer than the log is kept', () => {
    const times = { opensAtMs: nowMs + DAY_MS, closesAtMs: nowMs + sessionMsMax + 1 };
    expect(decideOpening(times, nowMs)).toEqual({
      refused: expect.stringMatching(/^The closing time must be at most 7 days after opening/),
    });
  });
});

describe('closing', () => {
  test('moves the end to ten seconds ahead of an open session, never later than it was', () => {
    fc.assert(
      fc.property(someTimes, (times) => {
        const decision = decideClosing(times, nowMs);
        if ('refused' in decision) {
          expect(stateOf(times, nowMs)).toBe('scheduled');
          return;
        }
        if ('unchanged' in decision) {
          expect(times.closesAtMs).toBeLessThanOrEqual(nowMs + sessionChangeAheadMs);
          return;
        }
        expect(stateOf(times, nowMs)).toBe('open');
        expect(decision.change).toEqual({
          opensAtMs: times.opensAtMs,
          closesAtMs: nowMs + sessionChangeAheadMs,
        });
        expect(decision.change.closesAtMs).toBeLessThan(times.closesAtMs);
      }),
    );
  });
});

test('a session may be as long as the log is kept less a day, to the millisecond', () => {
  expect(tooLong({ opensAtMs: 0, closesAtMs: sessionMsMax })).toBeUndefined();
  expect(tooLong({ opensAtMs: 0, closesAtMs: sessionMsMax + 1 })).toContain('at most 7 days');
});
