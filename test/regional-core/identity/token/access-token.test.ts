import { randomBytes, randomUUID } from 'node:crypto';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  type AccessClaims,
  createAccessVerifier,
  newAccessClaims,
  signAccessToken,
} from '../../../../regional-core/identity/token/access-token.ts';
import { createSigningKey } from '../../../support/votes.ts';

const key = createSigningKey();
const nowMs = 1_800_000_000_000;

function newClaims(): AccessClaims {
  const login = {
    sub: randomUUID(),
    vid: randomBytes(32).toString('base64url'),
    verified: true,
    acr: 'password',
    session_id: randomUUID(),
  } as const;
  return newAccessClaims(login, nowMs);
}

test('a token reads back as what was signed, by the current key and by the one before it', async () => {
  const claims = newClaims();
  const token = await signAccessToken(claims, key);
  expect(await createAccessVerifier([key])(token, nowMs)).toEqual(claims);
  expect(await createAccessVerifier([createSigningKey(), key])(token, nowMs)).toEqual(claims);
});

test('a token lives an hour, and clocks may differ by two seconds', async () => {
  const token = await signAccessToken(newClaims(), key);
  const verify = createAccessVerifier([key]);
  await verify(token, nowMs + 3_600_000);
  await verify(token, nowMs - 2000);
  await expect(verify(token, nowMs + 3_603_000)).rejects.toMatchObject({ code: 'invalid_token' });
  await expect(verify(token, nowMs - 4000)).rejects.toMatchObject({ code: 'invalid_token' });
});

test('every token has a jti of its own', () => {
  const jtis = new Set(Array.from({ length: 1000 }, () => newClaims().jti));
  expect(jtis.size).toBe(1000);
});

test('a token with any character changed is refused', async () => {
  const token = await signAccessToken(newClaims(), key);
  const verify = createAccessVerifier([key]);
  await fc.assert(
    fc.asyncProperty(
      fc.nat(token.length - 2),
      fc.constantFrom(...'AZaz09-_.'),
      async (at, sign) => {
        fc.pre(token[at] !== sign);
        const changed = token.slice(0, at) + sign + token.slice(at + 1);
        await expect(verify(changed, nowMs)).rejects.toMatchObject({ code: 'invalid_token' });
      },
    ),
  );
});

test('any text is refused as a token, not as an error', async () => {
  const verify = createAccessVerifier([key]);
  await fc.assert(
    fc.asyncProperty(fc.string({ maxLength: 300 }), async (text) => {
      await expect(verify(text, nowMs)).rejects.toMatchObject({ code: 'invalid_token' });
    }),
  );
});
