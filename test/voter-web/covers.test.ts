import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isCovered, readCoordinates } from '../../voter-web/covers.ts';
import { token } from './fixtures.ts';

describe('is my vote counted', () => {
  test('a receipt names where the vote lies', () => {
    const receipt = token({
      vote_id: 'v',
      region: 'us-east-1',
      partition: 3,
      offset: 41,
      more: 'ü',
    });
    expect(readCoordinates(receipt)).toEqual({ region: 'us-east-1', partition: 3, offset: 41 });
  });

  test('a vote is covered once the next offset is past it', () => {
    const at = { region: 'r', partition: 1, offset: 41 };
    expect(isCovered(at, { r: [99, 41] })).toBe(false);
    expect(isCovered(at, { r: [0, 42] })).toBe(true);
    expect(isCovered(at, { other: [99, 99] })).toBe(false);
    expect(isCovered(at, { r: [99] })).toBe(false);
  });

  test('what is not a receipt has no coordinates', () => {
    for (const claims of [{}, { region: 'r', partition: -1, offset: 1 }, { region: 'r' }, [1, 2]]) {
      expect(readCoordinates(token(claims))).toBeNull();
    }
    fc.assert(fc.property(fc.string(), (text) => readCoordinates(text) === null));
  });

  test('a region named like a part of every object is not covered', () => {
    expect(isCovered({ region: 'constructor', partition: 0, offset: 0 }, {})).toBe(false);
  });

  test('covers that only grow never uncover a vote', () => {
    const offsets = fc.array(fc.nat(1000), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(
        offsets,
        fc.nat(29),
        fc.nat(1000),
        fc.nat(50),
        (next, partition, offset, more) => {
          const at = { region: 'r', partition, offset };
          const later = next.map((value) => value + more);
          return !isCovered(at, { r: next }) || isCovered(at, { r: later });
        },
      ),
    );
  });
});
