import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Act,
  actBody,
  actBodyBytesMax,
  actHash,
  actVotesMax,
  approvalJwk,
  type FinaliseAct,
  importApprovalKeys,
  parseAct,
  signAct,
  verifyActSignature,
  verifyAgreement,
} from '#common/contracts/act.ts';
import { createSigningKey } from '../../../support/votes.ts';

const hex = fc.stringMatching(/^[0-9a-f]{64}$/);
const region = fc.stringMatching(/^[a-z][a-z0-9-]{0,20}$/);
const count = fc.nat({ max: 2 ** 40 });

const finalise = fc
  .record({
    session_id: fc.uuid(),
    session_version: fc.nat(),
    digest: hex,
    counts: fc.array(count, { minLength: 2, maxLength: 100 }),
    covers: fc.dictionary(
      fc.oneof(
        region,
        fc.tuple(region, region).map(([a, b]) => `${a}@${b}`),
      ),
      fc.array(count),
      { maxKeys: 6 },
    ),
  })
  .map(
    (fields): FinaliseAct => ({
      act: 'finalise',
      ...fields,
      covers: { ...fields.covers },
      total: fields.counts.reduce((sum, one) => sum + one, 0),
      recounts: { rows: fields.digest, tallies: 'equal', kafka: fields.digest },
    }),
  );
const declareLost = fc.record({
  act: fc.constant('declare_lost' as const),
  region,
  epoch: fc.integer({ min: 1, max: 8191 }),
});
const voidAct = fc.record({
  act: fc.constantFrom('void' as const, 'restore' as const),
  session_id: fc.uuid(),
  corrections: fc.nat(),
  vote_ids: fc.uniqueArray(fc.uuid(), { minLength: 1, maxLength: 20 }),
  reason: fc.stringMatching(/^[a-zé]([a-z é"\\]{0,40}[a-z])?$/),
});
const anyAct: fc.Arbitrary<Act> = fc.oneof(finalise, declareLost, voidAct);

const digest = 'ab'.repeat(32);
const example: FinaliseAct = {
  act: 'finalise',
  session_id: '3b241101-e2bb-4255-8caf-4136c566a962',
  session_version: 4,
  digest,
  total: 12,
  counts: [7, 5],
  recounts: { rows: digest, tallies: 'equal', kafka: digest },
  covers: { 'us-east-1': [3, 4], 'us-east-1@us-west-2': [1], 'us-west-2': [5] },
};

describe('the form of an act', () => {
  test('every act is read back from its body, and says the same again', () => {
    fc.assert(
      fc.property(anyAct, (act) => {
        const body = actBody(act);
        const read = parseAct(body);
        expect(read).toBeDefined();
        expect(actBody(read!)).toBe(body);
      }),
    );
  });

  test('the order in which members were written does not matter', () => {
    fc.assert(
      fc.property(anyAct, (act) => {
        const reversed = Object.fromEntries(Object.entries(act).toReversed()) as unknown as Act;
        expect(actBody(reversed)).toBe(actBody(act));
      }),
    );
  });

  test('is pinned: what people signed stays what they signed', () => {
    expect(actBody(example)).toBe(
      `{"act":"finalise","session_id":"3b241101-e2bb-4255-8caf-4136c566a962","session_version":4,` +
        `"digest":"${digest}","total":12,"counts":[7,5],"recounts":{"rows":"${digest}",` +
        `"tallies":"equal","kafka":"${digest}"},"covers":{"us-east-1":[3,4],` +
        `"us-east-1@us-west-2":[1],"us-west-2":[5]}}`,
    );
    expect(actHash('{"act":"declare_lost","region":"us-east-1","epoch":1}')).toBe(
      'f8f8224ea656fb3d60cad271577d0f95aa600fde2f3a49a4ae5916b4370e63a8',
    );
  });

  test.each<[string, string]>([
    ['no JSON', 'finalise'],
    ['null', 'null'],
    ['a list', '[]'],
    ['another act', '{"act":"reopen","region":"us-east-1","epoch":1}'],
    ['a space', '{"act":"declare_lost", "region":"us-east-1","epoch":1}'],
    ['another order', '{"region":"us-east-1","act":"declare_lost","epoch":1}'],
    ['a further member', '{"act":"declare_lost","region":"us-east-1","epoch":1,"more":1}'],
    ['a member twice', '{"act":"declare_lost","region":"a","region":"us-east-1","epoch":1}'],
    ['an epoch that is none', '{"act":"declare_lost","region":"us-east-1","epoch":0}'],
    ['a region that is none', '{"act":"declare_lost","region":"us east","epoch":1}'],
  ])('refuses %s', (_case, body) => {
    expect(parseAct(body)).toBeUndefined();
  });

  test.each<[string, Partial<FinaliseAct>]>([
    ['counts that do not add up', { total: 13 }],
    ['a negative count', { counts: [13, -1] }],
    ['a fraction', { counts: [11.5, 0.5] }],
    ['a single option', { counts: [12] }],
    ['a digest in capitals', { digest: digest.toUpperCase() }],
    [
      'a recount that differs',
      { recounts: { rows: digest, tallies: 'equal', kafka: 'cd'.repeat(32) } },
    ],
    ['no session', { session_id: 'x' }],
    ['covers of no log', { covers: { '__proto__ ': [1] } }],
    ['covers beyond 2^53', { covers: { 'us-east-1': [2 ** 53] } }],
  ])('refuses a result with %s', (_case, changes) => {
    expect(parseAct(actBody(example))).toEqual(example);
    expect(parseAct(JSON.stringify({ ...example, ...changes }))).toBeUndefined();
  });

  test('takes a body of 60,000 bytes, and not one more', () => {
    const offsets = (places: number): number[] => Array.from({ length: places }, () => 10 ** 15);
    const bodyWith = (name: string, places: number): string => {
      const covers = {
        a: offsets(1000),
        b: offsets(1000),
        c: offsets(1000),
        [name]: offsets(places),
      };
      return actBody({ ...example, covers });
    };
    // Filled with offsets, each 16 digits and a comma, and the rest with the name of the last log.
    const ofLength = (bytes: number): string => {
      const places = Math.floor((bytes - bodyWith('d', 1).length) / 17);
      return bodyWith('d'.repeat(1 + bytes - bodyWith('d', 1 + places).length), 1 + places);
    };
    const largest = ofLength(actBodyBytesMax);
    expect(Buffer.byteLength(largest)).toBe(60_000);
    expect(parseAct(largest)).toBeDefined();
    expect(parseAct(ofLength(actBodyBytesMax + 1))).toBeUndefined();
  });

  test('takes a thousand votes, in order and each once, and no more', () => {
    const ids = Array.from({ length: actVotesMax }, () => randomUUID()).toSorted();
    const act = (vote_ids: string[]): string =>
      JSON.stringify({
        act: 'void',
        session_id: ids[0],
        corrections: 1,
        vote_ids,
        reason: 'bought votes',
      });
    expect(parseAct(act(ids))).toBeDefined();
    expect(parseAct(act([...ids, randomUUID()].toSorted()))).toBeUndefined();
    expect(parseAct(act(ids.toReversed()))).toBeUndefined();
    expect(parseAct(act([ids[0]!, ids[0]!]))).toBeUndefined();
    expect(parseAct(act([]))).toBeUndefined();
  });
});

describe('two people', () => {
  const [anna, ben, annas2nd, stranger] = Array.from({ length: 4 }, createSigningKey);
  const registered = importApprovalKeys([
    { x: anna!.publicJwk.x, adminId: 'anna' },
    { x: ben!.publicJwk.x, adminId: 'ben' },
    { x: annas2nd!.publicJwk.x, adminId: 'anna' },
  ]);
  const body = actBody(example);
  const hash = actHash(body);
  const agree = (...signers: (typeof anna)[]) =>
    verifyAgreement(
      hash,
      signers.map((key) => signAct(body, key!)),
      registered,
    );

  test('agree by two registered keys, in any order', () => {
    expect(agree(anna, ben)).toEqual({ ok: true });
    expect(agree(ben, annas2nd)).toEqual({ ok: true });
  });

  test.each([
    ['one signature', [anna], 'not_two'],
    ['three', [anna, ben, annas2nd], 'not_two'],
    ['one key twice', [anna, anna], 'same_key'],
    ['two keys of one person', [anna, annas2nd], 'same_person'],
    ['a key that nobody registered', [anna, stranger], 'unknown_key'],
  ])('do not agree by %s', (_case, signers, reason) => {
    expect(agree(...signers)).toEqual({ ok: false, reason });
  });

  test('do not agree on another act, or by a changed signature', () => {
    fc.assert(
      fc.property(finalise, fc.nat({ max: 511 }), (act, bit) => {
        const other = actBody(act);
        fc.pre(other !== body);
        const good = [signAct(body, anna!), signAct(body, ben!)];
        expect(verifyAgreement(actHash(other), good, registered)).toEqual({
          ok: false,
          reason: 'signature',
        });
        const bytes = Buffer.from(good[1]!.signature, 'base64url');
        bytes[bit >> 3]! ^= 1 << (bit & 7);
        const bent = { kid: ben!.kid, signature: bytes.toString('base64url') };
        expect(verifyAgreement(hash, [good[0]!, bent], registered)).toEqual({
          ok: false,
          reason: 'signature',
        });
      }),
      { numRuns: 30 },
    );
  });

  test('a signature has one spelling', () => {
    const { kid, signature } = signAct(body, anna!);
    expect(verifyActSignature(hash, { kid, signature }, registered.keys)).toBe(true);
    expect(verifyActSignature(hash, { kid, signature: `${signature}=` }, registered.keys)).toBe(
      false,
    );
    expect(verifyActSignature(hash, { kid, signature: '' }, registered.keys)).toBe(false);
  });

  test('a public key is 32 bytes in base64url', () => {
    expect(approvalJwk(anna!.publicJwk.x)).toEqual(anna!.publicJwk);
    for (const x of ['', 'AAAA', `${anna!.publicJwk.x}=`, 'A'.repeat(44)]) {
      expect(() => approvalJwk(x)).toThrow('x is not 32 bytes in base64url');
    }
  });
});
