import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bucketOf, type CountedVote, ResultDigest } from '#common/contracts/digest.ts';

const votes: fc.Arbitrary<CountedVote[]> = fc.uniqueArray(
  fc.record({
    voteId: fc
      // Few first bytes, so that buckets hold more than one.
      .tuple(fc.constantFrom(0, 1, 255), fc.uint8Array({ minLength: 15, maxLength: 15 }))
      .map(([first, rest]) => Buffer.from([0, first, ...rest.slice(1)])),
    optionId: fc.string({ minLength: 1, maxLength: 20 }),
    acceptedAtMs: fc.integer({ min: 0, max: 2 ** 45 }),
  }),
  { minLength: 1, maxLength: 30, selector: ({ voteId }) => voteId.toString('hex') },
);

function digestOf(all: readonly CountedVote[]): string {
  const digest = new ResultDigest();
  for (const vote of all) digest.add(vote);
  return digest.hex();
}

const vote = (first: number, last = 0): CountedVote => ({
  voteId: Buffer.from([first, 0, ...Array.from({ length: 13 }, () => 7), last]),
  optionId: 'blue',
  acceptedAtMs: 1_700_000_000_000,
});

test('the bytes are those of the contract', () => {
  const entry = Buffer.concat([
    vote(3).voteId,
    Buffer.from([0, 4]),
    Buffer.from('blue'),
    Buffer.from([0, 0, 0x01, 0x8b, 0xcf, 0xe5, 0x68, 0x00]),
  ]);
  const bucket = createHash('sha256').update(entry).digest();
  const expected = createHash('sha256')
    .update(Buffer.from([3, 0]))
    .update(bucket)
    .digest('hex');
  expect(digestOf([vote(3)])).toBe(expected);
  expect(digestOf([])).toBe(createHash('sha256').digest('hex'));
});

test('the order in which votes are met does not matter', () => {
  const shuffled = votes.chain((all) =>
    fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length })),
  );
  fc.assert(fc.property(shuffled, ([all, other]) => digestOf(all) === digestOf(other)));
});

test('bucket by bucket in order of vote id gives the same as all at once', () => {
  fc.assert(
    fc.property(votes, (all) => {
      const digest = new ResultDigest();
      for (const each of all.toSorted((a, b) => a.voteId.compare(b.voteId))) {
        digest.closeBelow(bucketOf(each.voteId));
        digest.add(each);
      }
      return digest.hex() === digestOf(all) && digest.votes === all.length;
    }),
  );
});

describe('the digest changes with', () => {
  const changes: Record<string, (one: CountedVote) => CountedVote> = {
    'an option': (one) => ({ ...one, optionId: `${one.optionId}x` }),
    'a time': (one) => ({ ...one, acceptedAtMs: one.acceptedAtMs + 1 }),
    'a voter': (one) => {
      const voteId = Buffer.from(one.voteId);
      voteId[2]! ^= 0x80;
      return { ...one, voteId };
    },
  };
  test.each(Object.entries(changes))('%s', (_, change) => {
    fc.assert(
      fc.property(votes, fc.nat(), (all, at) => {
        const changed = all.with(at % all.length, change(all[at % all.length]!));
        const ids = new Set(changed.map(({ voteId }) => voteId.toString('hex')));
        fc.pre(ids.size === changed.length);
        return digestOf(changed) !== digestOf(all);
      }),
    );
  });

  test('a vote taken out', () => {
    fc.assert(fc.property(votes, (all) => digestOf(all.slice(1)) !== digestOf(all)));
  });
});

test('a voter twice is refused, whatever the options', () => {
  const digest = new ResultDigest();
  digest.add(vote(3));
  digest.add({ ...vote(3), optionId: 'red' });
  expect(() => digest.hex()).toThrow(new RangeError('a vote id was added twice'));
});

test('a vote for a bucket that was closed is refused', () => {
  const digest = new ResultDigest();
  digest.closeBelow(bucketOf(vote(3).voteId) + 1);
  expect(() => digest.add(vote(3))).toThrow(new RangeError('bucket 768 was closed before'));
  digest.add(vote(4));
});

test('no more votes are held than the bound, and closing makes room', () => {
  const digest = new ResultDigest(2);
  digest.add(vote(3, 1));
  digest.add(vote(3, 2));
  expect(() => digest.add(vote(4))).toThrow(/^more than 2 votes/);
  digest.closeBelow(bucketOf(vote(4).voteId));
  digest.add(vote(4));
  expect(digest.votes).toBe(3);
});

test('what is no vote is refused', () => {
  const digest = new ResultDigest();
  expect(() => digest.add({ ...vote(1), voteId: Buffer.alloc(15) })).toThrow(TypeError);
});
