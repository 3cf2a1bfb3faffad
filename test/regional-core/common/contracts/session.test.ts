import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  decodeSessionsMessage,
  encodeSessionsMessage,
  isNewerSession,
  type ResultsPolicy,
  resultState,
  resultsAudience,
  type SessionMessage,
  type SessionsMessage,
  sessionState,
  sessionsMessageKey,
} from '#common/contracts/session.ts';
import { toPublicJwk } from '#common/keys.ts';

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

const count = fc.maxSafeNat();
const hash = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => {
  return Buffer.from(bytes).toString('hex');
});
const x = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => {
  return Buffer.from(bytes).toString('base64url');
});
const jwk = x.map((member) => ({ kty: 'OKP', crv: 'Ed25519', x: member }));
const before: fc.Arbitrary<SessionMessage> = fc.record({
  type: fc.constant('session' as const),
  v: fc.constant(1 as const),
  epoch: count,
  version: count,
  session_id: fc.uuid(),
  session_no: count,
  title: fc.string(),
  options: fc.array(fc.record({ option_id: fc.string(), label: fc.string() })),
  opens_at_ms: count,
  closes_at_ms: count,
  eligibility: fc.constant(['code'] as const),
  results_policy: fc.constant('live' as const),
  released_at_ms: fc.option(count),
});
const final = fc.record({
  digest: hash,
  counts: fc.option(fc.array(count)),
  total: count,
  at_ms: count,
  act_hash: hash,
});
const session = fc
  .tuple(before, fc.option(count), fc.option(final))
  .map(([message, sealed_at_ms, agreed]) => ({ ...message, sealed_at_ms, final: agreed }));
const anyMessage: fc.Arbitrary<SessionsMessage> = fc.oneof(
  session,
  // What a publisher before this one says: no word of seals.
  before,
  fc.record({
    type: fc.constant('seal_keys' as const),
    v: fc.constant(1 as const),
    keys: fc.array(fc.tuple(jwk, fc.string()).map(([key, region]) => sealKey(key, region))),
  }),
  fc.record({
    type: fc.constant('regions' as const),
    v: fc.constant(1 as const),
    epoch: count,
    lost: fc.array(fc.string()),
  }),
  fc.record({
    type: fc.constant('totals_stale' as const),
    v: fc.constant(1 as const),
    since_ms: fc.option(count),
  }),
);
function sealKey(key: object, region: string) {
  return { ...toPublicJwk(key), region };
}

test('a reader gets what was written, and messages from before seals too', () => {
  fc.assert(
    fc.property(anyMessage, (written) => {
      expect(decodeSessionsMessage(encodeSessionsMessage(written))).toEqual(written);
    }),
  );
});

test('a message that lacks what its type needs is passed over, and nothing throws', () => {
  const broken = fc
    .tuple(anyMessage, fc.nat(), fc.anything({ maxDepth: 2 }))
    .map(([whole, at, other]) => {
      const members = Object.keys(whole);
      return { ...whole, [members[at % members.length]!]: other };
    });
  fc.assert(
    fc.property(broken, (changed) => {
      const bytes = Buffer.from(JSON.stringify(changed, (_, v) => (typeof v === 'bigint' ? 1 : v)));
      const read = decodeSessionsMessage(bytes);
      if (read?.type === 'session' && read.final) expect(read.final.digest).toHaveLength(64);
      if (read?.type === 'regions') expect(Array.isArray(read.lost)).toBe(true);
      if (read?.type === 'seal_keys') for (const key of read.keys) expect(key.kid).toHaveLength(11);
    }),
  );
});

test.each([
  { type: 'regions', v: 1, epoch: 1, lost: 'us-east-1' },
  { type: 'regions', v: 1, epoch: '1', lost: [] },
  { type: 'seal_keys', v: 1, keys: [{ kty: 'OKP', crv: 'Ed25519', x: 'AA' }] },
  { type: 'totals_stale', v: 1, since_ms: 'now' },
  { ...fc.sample(session, 1)[0]!, final: { digest: 'abc' } },
])('%o is passed over', (broken) => {
  expect(decodeSessionsMessage(Buffer.from(JSON.stringify(broken)))).toBeUndefined();
});

test('each kind of message has one place in the topic, a session one of its own', () => {
  const kinds = ['ballot_keys', 'seal_keys', 'regions', 'totals_stale'] as const;
  const keys = kinds.map((type) => sessionsMessageKey({ type } as SessionsMessage));
  expect(keys).toEqual(['ballot-keys', 'seal-keys', 'regions', 'totals-stale']);
  const [one] = fc.sample(session, 1);
  expect(sessionsMessageKey(one!)).toBe(`session:${one!.session_id}`);
});

test('a result is closed, then sealed, then final, whatever the clock says', () => {
  const agreed = { digest: 'd', counts: [1], total: 1, at_ms: 9, act_hash: 'a' };
  expect(resultState(times, 1500)).toBe('open');
  expect(resultState({ ...times, sealed_at_ms: null, final: null }, 2000)).toBe('closed');
  expect(resultState({ ...times, sealed_at_ms: 2500 }, 1500)).toBe('sealed');
  expect(resultState({ ...times, sealed_at_ms: 2500, final: agreed }, 1500)).toBe('final');
});

test('what a newer publisher says in another form is passed over', () => {
  const read = (message: object) => decodeSessionsMessage(Buffer.from(JSON.stringify(message)));
  expect(read({ type: 'session', v: 2 })).toBeUndefined();
  expect(read({ type: 'switch', v: 1 })).toBeUndefined();
  expect(read({ type: 'ballot_keys', v: 1, keys: [{ kty: 'RSA' }] })).toBeUndefined();
  expect(decodeSessionsMessage(Buffer.from('{'))).toBeUndefined();
});
