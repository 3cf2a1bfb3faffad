import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { ServiceError } from '#common/errors.ts';
import { readPlace } from '../../../../regional-core/records/vote-state/place.ts';

test('reads what a receipt says, region, partition and offset', () => {
  fc.assert(
    fc.property(
      fc.stringMatching(/^[a-z][a-z0-9-]{0,20}$/),
      fc.nat(9999),
      fc.nat(999_999_999_999_999),
      (region, partition, offset) => {
        const read = readPlace(`${region}/${partition}/${offset}`);
        expect(read).toEqual({ region, partition, offset });
      },
    ),
  );
});

test('is absent when the query has none', () => {
  expect(readPlace(undefined)).toBeUndefined();
});

test.each([
  '',
  'us-east-1',
  'us-east-1/1',
  'us-east-1/1/',
  'us-east-1/1/-1',
  'a/1/1/1',
  'a/1/1e3',
  '/1/1',
])('refuses %j', (at) => {
  const refused = new ServiceError('invalid_request', {
    message: 'at must be region/partition/offset, such as us-east-1/7/1234.',
  });
  expect(() => readPlace(at)).toThrow(refused);
});

test('never gives a number that is not a safe integer', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      let place: ReturnType<typeof readPlace>;
      try {
        place = readPlace(text);
      } catch (error) {
        return error instanceof ServiceError;
      }
      return Number.isSafeInteger(place?.partition) && Number.isSafeInteger(place?.offset);
    }),
  );
});
