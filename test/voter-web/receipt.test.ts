import { generateKeyPairSync, webcrypto } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  assembleReceipt,
  verifyReceipt as serverVerifies,
  signReceipt,
} from '../../regional-core/common/contracts/receipt.ts';
import { importPublicKeys, parseSigningKey } from '../../regional-core/common/keys.ts';
import type { Answer } from '../../voter-web/api.ts';
import { readJwks, type Subtle, verifyReceipt } from '../../voter-web/receipt.ts';
import { loadReceiptKeys } from '../../voter-web/receipt-keys.ts';
import { receiptVectors, vectorKey } from '../support/receipt-vectors.ts';
import { memoryStore } from './fixtures.ts';

const newKey = () =>
  parseSigningKey(
    JSON.stringify(generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' })),
  );
const key = newKey();
const jwks = { keys: [{ ...key.publicJwk, alg: 'EdDSA', use: 'sig' }] };
const keys = readJwks(jwks)!;
const subtle = webcrypto.subtle as Subtle;

const fields = {
  vote_id: '33333333-3333-8333-8333-333333333333',
  session_id: '11111111-1111-4111-8111-111111111111',
  commitment: 'AAAA',
  acceptedAtMs: 1_700_000_000_000,
  region: 'us-east-1',
  partition: 3,
  offset: 2 ** 40,
  durability: 'two-regions' as const,
};
const receipt = assembleReceipt(fields, key.kid, signReceipt(fields, key));

describe('a receipt', () => {
  test('that the service signed is good, and tells where the vote lies', async () => {
    const verdict = await verifyReceipt(`\n ${receipt}\r\n`, keys, subtle);
    expect(verdict).toMatchObject({
      kind: 'good',
      kid: key.kid,
      receipt: {
        vote_id: fields.vote_id,
        region: 'us-east-1',
        partition: 3,
        offset: 2 ** 40,
        durability: 'two-regions',
        accepted_at: '2023-11-14T22:13:20.000Z',
      },
    });
  });

  test.each(receiptVectors)(
    '$name: $verdict, as every verifier says',
    async ({ text, verdict }) => {
      const known = readJwks({ keys: [vectorKey.publicJwk] })!;
      const { kind } = await verifyReceipt(text, known, subtle);
      expect(kind.replace('-', ' ')).toBe(verdict);
    },
  );

  test('with any symbol changed is never good', async () => {
    const place = fc.nat(receipt.length - 1);
    const symbol = fc.constantFrom(...'ABCwxyz019-_.');
    const serverKeys = importPublicKeys([key.publicJwk]);
    await fc.assert(
      fc.asyncProperty(place, symbol, async (at, by) => {
        const changed = receipt.slice(0, at) + by + receipt.slice(at + 1);
        const { kind } = await verifyReceipt(changed, keys, subtle);
        const isGood = serverVerifies(changed, serverKeys) !== undefined;
        expect(kind === 'good').toBe(isGood);
      }),
      { numRuns: 200 },
    );
  });

  test('of another key is unknown, and one signed by another is forged', async () => {
    const stranger = newKey();
    const foreign = assembleReceipt(fields, stranger.kid, signReceipt(fields, stranger));
    expect(await verifyReceipt(foreign, keys, subtle)).toEqual({ kind: 'unknown-key' });
    const forged = assembleReceipt(fields, key.kid, signReceipt(fields, stranger));
    expect(await verifyReceipt(forged, keys, subtle)).toEqual({ kind: 'forged' });
  });

  test('a ballot, or any other text, is not one; nothing throws', async () => {
    const [, payload, signature] = receipt.split('.');
    const header = Buffer.from('{"alg":"EdDSA","kid":"x","typ":"ballot+jwt"}').toString(
      'base64url',
    );
    const ballot = `${header}.${payload}.${signature}`;
    expect(await verifyReceipt(ballot, keys, subtle)).toEqual({ kind: 'unreadable' });
    await fc.assert(
      fc.asyncProperty(fc.string(), async (text) => {
        expect(await verifyReceipt(text, keys, subtle)).toEqual({ kind: 'unreadable' });
      }),
    );
    expect(await verifyReceipt('x'.repeat(100_000), keys, subtle)).toEqual({ kind: 'unreadable' });
  });

  test('says so when the browser cannot check: no WebCrypto, or no Ed25519', async () => {
    expect(await verifyReceipt(receipt, keys, undefined)).toEqual({ kind: 'unsupported' });
    const old = {
      importKey: () => Promise.reject(new DOMException('no', 'NotSupportedError')),
      verify: () => Promise.resolve(true),
    } as unknown as Subtle;
    expect(await verifyReceipt(receipt, keys, old)).toEqual({ kind: 'unsupported' });
  });
});

describe('the public keys', () => {
  const ok: Answer = { kind: 'ok', status: 200, body: jwks };

  test('are asked for, and kept for when there is no network', async () => {
    const store = memoryStore();
    const asked: string[] = [];
    const ask = (url: string): Promise<Answer> => {
      asked.push(url);
      return Promise.resolve(ok);
    };
    expect(await loadReceiptKeys({ ask, store })).toEqual(keys);
    expect(asked).toEqual(['/.well-known/jwks.json']);
    const offline = (): Promise<Answer> => Promise.resolve({ kind: 'none' });
    expect(await loadReceiptKeys({ ask: offline, store })).toEqual(keys);
    expect(await loadReceiptKeys({ ask: offline, store: memoryStore() })).toBeNull();
  });

  test('of another kind, or in no JWKS, are not taken', () => {
    expect(readJwks({ keys: [{ kty: 'RSA', kid: 'a', n: 'x' }, null, { kid: 'b' }] })?.size).toBe(
      0,
    );
    expect(readJwks({})).toBeNull();
    expect(readJwks(null)).toBeNull();
  });
});
