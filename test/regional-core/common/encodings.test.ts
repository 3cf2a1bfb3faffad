import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeBase32, encodeBase32, groupSymbols, normalizeBase32 } from '#common/base32.ts';
import { isUuid, uuidFromBytes, uuidToBytes, uuidV8 } from '#common/uuid.ts';

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });

test('a code can be typed in lower case, with spaces and dashes, and with O, I, L for 0, 1, 1', () => {
  fc.assert(
    fc.property(bytes(10), fc.constantFrom(' ', '-', ''), (given, gap) => {
      const code = encodeBase32(given, 16);
      const typed = groupSymbols(code, 4)
        .replaceAll('-', gap)
        .replaceAll('0', 'o')
        .replaceAll('1', 'l')
        .toLowerCase();
      expect(normalizeBase32(typed)).toBe(code);
      expect(decodeBase32(typed)).toEqual(Buffer.from(given));
    }),
  );
});

test('a code with a foreign symbol is refused, not guessed at', () => {
  for (const text of ['ABCU', 'AB!C', 'é', 'AB_C']) expect(decodeBase32(text)).toBeUndefined();
});

test('a UUID survives the way to bytes and back, and nothing else is taken for one', () => {
  fc.assert(
    fc.property(bytes(16), (given) => {
      const uuid = uuidV8(given);
      expect(isUuid(uuid)).toBe(true);
      expect(uuid[14]).toBe('8');
      expect(uuidFromBytes(uuidToBytes(uuid))).toBe(uuid);
    }),
  );
  fc.assert(fc.property(fc.string(), (text) => !isUuid(text)));
  expect(() => uuidToBytes('A'.repeat(36))).toThrow(TypeError);
  expect(() => uuidFromBytes(new Uint8Array(15))).toThrow('a UUID has 16 bytes, not 15');
});
