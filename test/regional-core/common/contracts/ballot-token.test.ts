import { createPublicKey } from 'node:crypto';
import fc from 'fast-check';
import { compactVerify, SignJWT } from 'jose';
import { expect, test } from 'vitest';
import { type Ballot, signBallot, verifyBallot } from '#common/contracts/ballot-token.ts';
import { importPublicKeys } from '#common/keys.ts';
import { createBallot, createSigningKey } from '../../../support/votes.ts';

const key = createSigningKey();
const other = createSigningKey();
const keys = importPublicKeys([key.publicJwk, other.publicJwk]);
const nowS = 1_800_000_000;
const ballot = (changes: Partial<Ballot> = {}): Ballot =>
  createBallot('0190a0de-7b7c-7cc0-8000-000000000001', { exp: nowS + 60, ...changes });

async function joseVerdict(token: string): Promise<boolean> {
  try {
    await compactVerify(token, createPublicKey(key.privateKey), { algorithms: ['EdDSA'] });
    return true;
  } catch {
    return false;
  }
}

test('a signed ballot verifies, and gives back what was signed', () => {
  const given = ballot();
  expect(verifyBallot(signBallot(given, key), keys, nowS, 0)).toMatchObject({
    ok: true,
    ballot: given,
    kid: key.kid,
  });
});

test('agrees with jose on every token with a bit turned', async () => {
  const token = signBallot(ballot(), key);
  const place = fc.nat(token.length - 1);
  const symbol = fc.constantFrom(
    ...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.',
  );
  await fc.assert(
    fc.asyncProperty(place, symbol, async (at, replaced) => {
      const changed = token.slice(0, at) + replaced + token.slice(at + 1);
      const ours = verifyBallot(changed, keys, nowS, 0);
      // Ours is never laxer; where jose takes base64url with stray last bits, ours does not.
      if (ours.ok) expect(await joseVerdict(changed)).toBe(true);
      if (changed !== token) expect(ours.ok).toBe(false);
    }),
    { numRuns: 300 },
  );
});

test.each([
  ['with no algorithm', { alg: 'none' }],
  ['with another type', { typ: 'at+jwt' }],
])('refuses a header %s', async (_, change) => {
  const [, payload, signature] = signBallot(ballot(), key).split('.');
  const header = { alg: 'EdDSA', kid: key.kid, typ: 'ballot+jwt', ...change };
  const encoded = Buffer.from(JSON.stringify(header)).toString('base64url');
  const verdict = verifyBallot(`${encoded}.${payload}.${signature}`, keys, nowS, 0);
  expect(verdict).toEqual({ ok: false, reason: 'unknown_key' });
});

test('refuses a payload in another form than the one a record can rebuild', async () => {
  const given = ballot();
  const token = await new SignJWT({ ...given, iss: 'vote', aud: 'vote' })
    .setProtectedHeader({ alg: 'EdDSA', kid: key.kid, typ: 'ballot+jwt' })
    .sign(key.privateKey);
  expect(await joseVerdict(token)).toBe(true);
  expect(verifyBallot(token, keys, nowS, 0)).toEqual({ ok: false, reason: 'malformed' });
});

test('refuses the signature of a key that does not sign ballots', () => {
  const stranger = createSigningKey();
  expect(verifyBallot(signBallot(ballot(), stranger), keys, nowS, 0)).toMatchObject({
    reason: 'unknown_key',
  });
  const forged = signBallot(ballot(), { ...other, kid: key.kid });
  expect(verifyBallot(forged, keys, nowS, 0)).toMatchObject({ reason: 'signature' });
});

test('is good until its last second, and for reading a while longer', () => {
  const token = signBallot(ballot({ exp: nowS }), key);
  expect(verifyBallot(token, keys, nowS - 1, 0).ok).toBe(true);
  expect(verifyBallot(token, keys, nowS, 0)).toEqual({ ok: false, reason: 'expired' });
  expect(verifyBallot(token, keys, nowS, 60).ok).toBe(true);
});

test('never throws, whatever the token', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), fc.string(), (a, b, c) => {
      expect(verifyBallot(`${a}.${b}.${c}`, keys, nowS, 0).ok).toBe(false);
    }),
  );
  expect(verifyBallot('x'.repeat(100_000), keys, nowS, 0)).toMatchObject({ reason: 'malformed' });
});
