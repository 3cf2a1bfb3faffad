import { spawnSync } from 'node:child_process';
import { createSecretKey, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { confirm } from '#common/confirmation.ts';
import { assembleReceipt, signReceipt } from '#common/contracts/receipt.ts';
import { parseReceiptOptions } from '../../../local/cli/receipt.ts';
import { describeReceipt, judgeReceipt } from '../../../local/cli/receipt-verdict.ts';
import { receiptVectors, vectorKey } from '../../support/receipt-vectors.ts';
import { createSigningKey } from '../../support/votes.ts';

const key = createSigningKey();
const old = createSigningKey();
const keys = [key.publicJwk, old.publicJwk];
const voteId = '0d1f6c1e-8f3a-8abc-9def-0123456789ab';
const confirmation = confirm(createSecretKey(randomBytes(32)), voteId, 1);
const fields = {
  vote_id: voteId,
  session_id: '3b241101-e2bb-4255-8caf-4136c566a962',
  commitment: confirmation.commitment,
  acceptedAtMs: Date.parse('2030-01-01T00:00:00.123Z'),
  region: 'us-east-1',
  partition: 7,
  offset: 1234,
  durability: 'two-regions',
} as const;
const signedBy = (by: typeof key) => assembleReceipt(fields, by.kid, signReceipt(fields, by));
const receipt = signedBy(key);

const folder = mkdtempSync(join(tmpdir(), 'vote-receipt-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('a receipt', () => {
  test('is genuine, and each field is told in plain words', () => {
    const text = describeReceipt(judgeReceipt(` ${receipt}\n`, keys));
    expect(text).toBe(
      [
        'Genuine: this vote was recorded as it says.',
        `  vote         ${voteId}`,
        '  session      3b241101-e2bb-4255-8caf-4136c566a962',
        '  accepted at  2030-01-01T00:00:00.123Z',
        '  recorded in  us-east-1, partition 7, offset 1234',
        '  kept         in that region and as a copy in another one',
        `  choice       only committed to; its confirmation code is ${confirmation.code}`,
        `  signed by    key ${key.kid}`,
        'A receipt says that a vote was recorded. That it counts, the state of the vote says.',
        '',
      ].join('\n'),
    );
  });

  test('of a key that signs no more is genuine as long as the key is known', () => {
    expect(judgeReceipt(signedBy(old), keys)).toMatchObject({ kind: 'genuine', kid: old.kid });
    const verdict = judgeReceipt(signedBy(old), [key.publicJwk]);
    expect(verdict).toEqual({ kind: 'unknown_key', kid: old.kid, known: [key.kid] });
    expect(describeReceipt(verdict)).toContain('Nothing can be said');
  });

  test.each(receiptVectors)('$name: $verdict, as every verifier says', ({ text, verdict }) => {
    const { kind } = judgeReceipt(text, [vectorKey.publicJwk]);
    expect(kind.replace('genuine', 'good').replace('_', ' ')).toBe(verdict);
  });

  test('with any bit changed is not genuine', () => {
    const bytes = Buffer.from(receipt);
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.nat(6), (at, bit) => {
        const changed = Buffer.from(bytes);
        changed[at]! ^= 1 << bit;
        expect(judgeReceipt(changed.toString('latin1'), keys).kind).not.toBe('genuine');
      }),
      { numRuns: 1000 },
    );
  });

  test.each([
    ['the file is empty', ' \n'],
    ['it is longer than 1024 characters', 'x'.repeat(1025)],
    ['it has not the three parts of a signed receipt', 'a.b'],
    ['its header is not that of a receipt', 'e30.e30.e30'],
    ['its header is not that of a receipt', `bnVsbA.${receipt.split('.').slice(1).join('.')}`],
  ])('%s', (why, text) => {
    expect(judgeReceipt(text, keys)).toEqual({ kind: 'unreadable', why });
  });
});

describe('the command', () => {
  const file = join(folder, 'receipt.txt');
  const jwks = join(folder, 'jwks.json');
  writeFileSync(file, `${receipt}\n`);
  writeFileSync(jwks, JSON.stringify({ keys }));
  const run = (...args: string[]) => {
    const child = spawnSync(process.execPath, ['local/cli/receipt.ts', ...args]);
    return [child.status, child.stdout.toString(), child.stderr.toString()] as const;
  };

  test('exits 0 for a genuine one, 1 for another one, 2 when nothing can be read', () => {
    expect(run('verify', file, '--jwks', jwks)[0]).toBe(0);
    const forged = join(folder, 'forged.txt');
    writeFileSync(forged, `${receipt.slice(0, -4)}AAAA`);
    const [status, said] = run('verify', forged, '--jwks', jwks);
    expect([status, said]).toEqual([
      1,
      `Not genuine: the key ${key.kid} did not sign these bytes.\n`,
    ]);
    const [trouble, , error] = run('verify', file, '--jwks', join(folder, 'nothing.json'));
    expect([trouble, error]).toEqual([2, expect.stringMatching(/cannot be read: give a JWKS/)]);
  });

  test.each([
    ['say verify, not ""', []],
    ['say verify, not "check"', ['check', 'a']],
    ['FILE is missing', ['verify']],
    ['one receipt at a time; "b" is too many', ['verify', 'a', 'b']],
  ])('%s', (reason, args) => {
    expect(() => parseReceiptOptions(args)).toThrow(`${reason}.\nUsage:`);
  });
});
