import fc from 'fast-check';
import { expect, test } from 'vitest';
import { voteBody } from '../../../regional-core/intake/contract.ts';
import { isIdempotencyKey, parseVoteRequest } from '../../../regional-core/intake/vote-request.ts';

const sessionId = '0190a0de-7b7c-7cc0-8000-000000000001';
const good = { session_id: sessionId, option_id: 'option-a' };

test('agrees with the schema on every body', () => {
  const anything = fc.oneof(fc.string(), fc.jsonValue({ maxDepth: 2 }), fc.constant(undefined));
  const body = fc.record(
    {
      session_id: fc.oneof(fc.constant(sessionId), anything),
      option_id: fc.oneof(fc.constant('a'), fc.string({ maxLength: 80 }), anything),
      user_id: anything,
      timestamp: fc.oneof(
        fc.constantFrom('2026-11-22T20:00:00.000Z', '2026-11-22T20:00:00+01:00', '2020', '1'),
        anything,
      ),
      client_metadata: fc.oneof(
        fc.dictionary(fc.constantFrom('timezone', 'user_agent', 'other'), anything),
        anything,
      ),
      surprise: anything,
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(body, (given) => {
      const clean = JSON.parse(JSON.stringify(given)) as Record<string, unknown>;
      const ours = !('wrong' in parseVoteRequest(clean));
      const theirs = voteBody.safeParse(clean).success;
      expect(ours).toBe(theirs);
    }),
    { numRuns: 500 },
  );
});

test('names the first thing that is wrong', () => {
  expect(parseVoteRequest({ ...good, surprise: 1 })).toEqual({ wrong: 'surprise' });
  expect(parseVoteRequest({ option_id: 'a' })).toEqual({ wrong: 'session_id' });
  expect(parseVoteRequest({ ...good, client_metadata: { age: 1 } })).toEqual({
    wrong: 'client_metadata',
  });
});

test('drops who and where the body says it comes from', () => {
  const request = parseVoteRequest({
    ...good,
    user_id: 'somebody',
    client_metadata: { ip_address: '192.0.2.1', device_fingerprint: 'f' },
  });
  expect(request).toEqual({ sessionId, optionId: 'option-a' });
});

test('takes idempotency keys of the usual forms only', () => {
  expect(isIdempotencyKey('0190a0de-7b7c-7cc0-8000-000000000001')).toBe(true);
  for (const key of ['', 'short', 'x'.repeat(129), 'with space 12', 'line\nbreak1']) {
    expect(isIdempotencyKey(key)).toBe(false);
  }
});
