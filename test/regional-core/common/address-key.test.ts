import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { addressKey } from '#common/address-key.ts';

test('an IPv4 address counts whole', () => {
  fc.assert(
    fc.property(fc.ipV4(), (address) => {
      expect(addressKey(address)).toBe(address);
    }),
  );
});

test('of an IPv6 address the first 64 bits count, however it is written', () => {
  const groups = fc.array(fc.integer({ min: 0, max: 0xffff }), { minLength: 8, maxLength: 8 });
  fc.assert(
    fc.property(groups, groups, (mine, other) => {
      const text = (parts: number[]): string => parts.map((part) => part.toString(16)).join(':');
      const long = mine.map((part) => part.toString(16).padStart(4, '0').toUpperCase()).join(':');
      const neighbour = [...mine.slice(0, 4), ...other.slice(4)];
      expect(addressKey(text(neighbour))).toBe(addressKey(text(mine)));
      expect(addressKey(long)).toBe(addressKey(text(mine)));
      expect(addressKey(`[${text(mine)}]`)).toBe(addressKey(text(mine)));
      const isSame = text(mine.slice(0, 4)) === text(other.slice(0, 4));
      expect(addressKey(text(other)) === addressKey(text(mine))).toBe(isSame);
    }),
  );
});

test.each([
  ['2001:db8::1', '2001:db8:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ['::ffff:198.51.100.7', '198.51.100.7'],
  ['2001:0db8:0001:0002::9', '2001:db8:1:2::/64'],
  ['unknown', 'unknown'],
])('%s is limited as %s', (address, key) => {
  expect(addressKey(address)).toBe(key);
});
