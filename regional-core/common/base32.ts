/**
 * Crockford's base32 (https://www.crockford.com/base32.html): no I, L, O or U, so that a code read
 * aloud or copied by hand has one reading.
 */
const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** The first `symbols` groups of 5 bits of `bytes`, most significant first. */
export function encodeBase32(bytes: Uint8Array, symbols: number): string {
  if (symbols * 5 > bytes.length * 8) throw new RangeError('not enough bytes for so many symbols');
  let text = '';
  for (let symbol = 0; symbol < symbols; symbol++) {
    let value = 0;
    for (let bit = symbol * 5; bit < symbol * 5 + 5; bit++) {
      value = (value << 1) | ((bytes[bit >> 3]! >> (7 - (bit & 7))) & 1);
    }
    text += alphabet[value];
  }
  return text;
}

/**
 * The bytes behind a code typed by a person: case, spaces and dashes do not matter, O reads as 0,
 * I and L as 1. Gives undefined for any other symbol. Bits past the last whole byte are
 * zero-padded.
 */
export function decodeBase32(text: string): Buffer | undefined {
  const symbols = normalizeBase32(text);
  if (symbols === undefined) return undefined;
  const bytes = Buffer.alloc(Math.ceil((symbols.length * 5) / 8));
  for (const [index, symbol] of [...symbols].entries()) {
    const value = alphabet.indexOf(symbol);
    for (let bit = 0; bit < 5; bit++) {
      const position = index * 5 + bit;
      if ((value >> (4 - bit)) & 1) bytes[position >> 3]! |= 0x80 >> (position & 7);
    }
  }
  return bytes;
}

/** The one spelling of a code typed by a person, without dashes; undefined for a foreign symbol. */
export function normalizeBase32(text: string): string | undefined {
  const symbols = text
    .toUpperCase()
    .replaceAll(/[\s-]/g, '')
    .replaceAll('O', '0')
    .replaceAll(/[IL]/g, '1');
  return /^[0-9A-HJKMNP-TV-Z]*$/.test(symbols) ? symbols : undefined;
}

/** Dashes between groups of `size` symbols: `ABCDE-FGHJK`. */
export function groupSymbols(symbols: string, size: number): string {
  return symbols.match(new RegExp(`.{1,${size}}`, 'g'))?.join('-') ?? '';
}
