import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  type Covers,
  coversAtLeast,
  coversOffset,
  decodeTotalsMessage,
  totalsSequence,
} from '#common/contracts/vote-aggregated.ts';

const offsets = fc.array(fc.nat(1_000_000), { minLength: 3, maxLength: 3 });
const covers: fc.Arbitrary<Covers> = fc.record({ 'us-east-1': offsets, 'us-west-2': offsets });

test('the sequence rises with every record read, in any partition, and with the epoch', () => {
  fc.assert(
    fc.property(
      covers,
      fc.constantFrom('us-east-1', 'us-west-2'),
      fc.nat(2),
      (held, region, at) => {
        const next = { ...held, [region]: held[region]!.map((o, i) => (i === at ? o + 1 : o)) };
        expect(totalsSequence(1, next, 0)).toBe(totalsSequence(1, held, 0) + 1);
        expect(totalsSequence(2, held, 0)).toBeGreaterThan(totalsSequence(1, next, 999));
        expect(coversAtLeast(next, held)).toBe(true);
        expect(coversAtLeast(held, next)).toBe(false);
      },
    ),
  );
});

test('a sequence that would not be exact is refused', () => {
  expect(() => totalsSequence(1, { a: [2 ** 40] }, 0)).toThrow(RangeError);
  expect(() => totalsSequence(8192, { a: [2 ** 39] }, 0)).toThrow(RangeError);
  expect(totalsSequence(8191, { a: [2 ** 40 - 1] }, 0)).toBe(2 ** 53 - 1);
});

test('a receipt is covered once the next offset is past its own', () => {
  const place = { region: 'a', partition: 1, offset: 7 };
  expect(coversOffset({ a: [9, 7] }, place)).toBe(false);
  expect(coversOffset({ a: [0, 8] }, place)).toBe(true);
  expect(coversOffset({ b: [99, 99] }, place)).toBe(false);
  expect(coversOffset({ a: [99] }, place)).toBe(false);
});

test('a region that is new, or has more partitions, is no step back', () => {
  expect(coversAtLeast({ a: [1, 2], b: [1] }, { a: [1] })).toBe(true);
  expect(coversAtLeast({ a: [1] }, { a: [1], b: [1] })).toBe(false);
});

test('a message of another version or shape is passed over', () => {
  const read = (text: string) => decodeTotalsMessage(Buffer.from(text));
  expect(read('{"v":2}')).toBeUndefined();
  expect(read('nonsense')).toBeUndefined();
  expect(read('{"v":1,"session_id":"x","sequence":1}')).toBeUndefined();
  expect(decodeTotalsMessage(null)).toBeUndefined();
});
