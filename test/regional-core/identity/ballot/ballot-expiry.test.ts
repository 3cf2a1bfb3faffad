import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { DAY_MS, HOUR_MS } from '#common/clock.ts';
import { graceMs } from '#common/contracts/session.ts';
import { ballotExpiryS } from '../../../../regional-core/identity/ballot/ballot-expiry.ts';

const moment = fc.integer({ min: 1_700_000_000_000, max: 1_900_000_000_000 });
const span = fc.integer({ min: 1, max: 10 * DAY_MS });

test('before closing a ballot ends with the session and its grace, or after a day', () => {
  fc.assert(
    fc.property(moment, span, fc.nat(10 * DAY_MS), (opensAtMs, length, before) => {
      const session = { opens_at_ms: opensAtMs, closes_at_ms: opensAtMs + length };
      const nowMs = session.closes_at_ms - 1 - before;
      const endMs = ballotExpiryS(session, nowMs) * 1000;
      const lastMs = Math.min(session.closes_at_ms + graceMs, nowMs + DAY_MS);
      expect(endMs).toBeLessThanOrEqual(lastMs);
      expect(endMs).toBeGreaterThan(lastMs - 1000);
    }),
  );
});

test('after closing a ballot ends in an hour', () => {
  fc.assert(
    fc.property(moment, span, fc.nat(10 * DAY_MS), (opensAtMs, length, after) => {
      const session = { opens_at_ms: opensAtMs, closes_at_ms: opensAtMs + length };
      const nowMs = session.closes_at_ms + after;
      expect(ballotExpiryS(session, nowMs)).toBe(Math.floor((nowMs + HOUR_MS) / 1000));
    }),
  );
});
