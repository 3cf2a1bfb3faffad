import { expect, test } from 'vitest';
import {
  decodeSessionsMessage,
  isNewerSession,
  type ResultsPolicy,
  resultsAudience,
  sessionState,
} from '#common/contracts/session.ts';

const times = { opens_at_ms: 1000, closes_at_ms: 2000 };

test('opens and closes by the clock, to the millisecond', () => {
  expect(sessionState(times, 999)).toBe('scheduled');
  expect(sessionState(times, 1000)).toBe('open');
  expect(sessionState(times, 1999)).toBe('open');
  expect(sessionState(times, 2000)).toBe('closed');
});

test.each<[ResultsPolicy, number | null, string, string]>([
  ['live', null, 'everyone', 'everyone'],
  ['after_vote', null, 'voters', 'everyone'],
  ['after_close', null, 'nobody', 'everyone'],
  ['on_release', null, 'nobody', 'nobody'],
  ['on_release', 2500, 'nobody', 'everyone'],
])(
  'with %s released at %s, counts are for %s while open and for %s after',
  (policy, at, open, later) => {
    const session = { ...times, results_policy: policy, released_at_ms: at };
    expect(resultsAudience(session, 1500)).toBe(open);
    expect(resultsAudience(session, 3000)).toBe(later);
  },
);

test('a message replaces only one of a lower epoch or version', () => {
  const held = { epoch: 2, version: 5 };
  expect(isNewerSession({ epoch: 2, version: 6 }, held)).toBe(true);
  expect(isNewerSession({ epoch: 3, version: 1 }, held)).toBe(true);
  expect(isNewerSession(held, held)).toBe(false);
  expect(isNewerSession({ epoch: 1, version: 9 }, held)).toBe(false);
});

test('what a newer publisher says in another form is passed over', () => {
  const read = (message: object) => decodeSessionsMessage(Buffer.from(JSON.stringify(message)));
  expect(read({ type: 'session', v: 2 })).toBeUndefined();
  expect(read({ type: 'switch', v: 1 })).toBeUndefined();
  expect(read({ type: 'ballot_keys', v: 1, keys: [{ kty: 'RSA' }] })).toBeUndefined();
  expect(decodeSessionsMessage(Buffer.from('{'))).toBeUndefined();
});
