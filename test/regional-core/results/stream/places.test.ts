import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { StreamPlaces } from '../../../../regional-core/results/stream/places.ts';

test('a process has so many places, and an address so many of them', () => {
  const places = new StreamPlaces({ streamsMax: 3, streamsPerAddressMax: 2 });
  expect(places.take('10.0.0.1')).toBe('taken');
  expect(places.take('10.0.0.1')).toBe('taken');
  expect(places.take('10.0.0.1')).toBe('address_full');
  expect(places.take('10.0.0.2')).toBe('taken');
  expect(places.take('10.0.0.3')).toBe('full');
  places.release('10.0.0.1');
  expect(places.take('10.0.0.3')).toBe('taken');
});

test('however places are taken and released, no bound is passed and none is lost', () => {
  const steps = fc.array(
    fc.record({ address: fc.constantFrom('a', 'b', 'c'), takes: fc.boolean() }),
    { maxLength: 200 },
  );
  fc.assert(
    fc.property(steps, (all) => {
      const places = new StreamPlaces({ streamsMax: 5, streamsPerAddressMax: 3 });
      const held: string[] = [];
      for (const { address, takes } of all) {
        const ofAddress = held.filter((other) => other === address).length;
        if (!takes) {
          places.release(address);
          if (ofAddress > 0) held.splice(held.indexOf(address), 1);
          continue;
        }
        const expected = held.length >= 5 ? 'full' : ofAddress >= 3 ? 'address_full' : 'taken';
        expect(places.take(address)).toBe(expected);
        if (expected === 'taken') held.push(address);
      }
    }),
  );
});
