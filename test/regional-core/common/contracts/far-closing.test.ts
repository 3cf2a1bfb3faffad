import { afterEach, expect, test } from 'vitest';
import { DAY_MS } from '#common/clock.ts';
import { resultsAudience, sessionState } from '#common/contracts/session.ts';

const zone = process.env['TZ'];
afterEach(() => {
  if (zone === undefined) delete process.env['TZ'];
  else process.env['TZ'] = zone;
});

// Europe and America change their clocks on different days between these two moments; a timer of
// Node holds 24.8 days (2^31 - 1 ms) and fires at once beyond.
const opensAtMs = Date.parse('2027-02-20T20:00:00.000Z');
const closesAtMs = opensAtMs + 60 * DAY_MS;
const session = {
  opens_at_ms: opensAtMs,
  closes_at_ms: closesAtMs,
  results_policy: 'after_close' as const,
  released_at_ms: null,
};

test.each(['UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kathmandu', 'Pacific/Kiritimati'])(
  'a closing 60 days away comes at its very millisecond in %s',
  (name) => {
    process.env['TZ'] = name;
    expect(sessionState(session, opensAtMs - 1)).toBe('scheduled');
    expect(sessionState(session, opensAtMs)).toBe('open');
    for (let day = 0; day < 60; day++) {
      expect(sessionState(session, opensAtMs + day * DAY_MS)).toBe('open');
      expect(resultsAudience(session, opensAtMs + day * DAY_MS)).toBe('nobody');
    }
    expect(sessionState(session, closesAtMs - 1)).toBe('open');
    expect(sessionState(session, closesAtMs)).toBe('closed');
    expect(resultsAudience(session, closesAtMs)).toBe('everyone');
  },
);
