/** A voting code is twenty characters of Crockford's base32, shown in four groups of five. */
const CODE_CHARS = 20;
const GROUP_CHARS = 5;
/** Nobody types more than this by accident; what is longer is not looked at further. */
const TYPED_CHARS_MAX = 120;

/**
 * Reads a code as people type it: any case, spaces and dashes anywhere, and the letters that
 * Crockford's alphabet leaves out read as the digits they look like (O is 0; I and L are 1).
 *
 * @returns the code as `XXXXX-XXXXX-XXXXX-XXXXX`, or null when it cannot be one.
 */
export function readVotingCode(typed: string): string | null {
  if (typed.length > TYPED_CHARS_MAX) return null;
  const bare = typed
    .normalize('NFKC')
    .toUpperCase()
    .replace(/[^0-9A-Z]/g, '')
    .replaceAll('O', '0')
    .replace(/[IL]/g, '1');
  if (bare.length !== CODE_CHARS || bare.includes('U')) return null;
  const groups: string[] = [];
  for (let at = 0; at < CODE_CHARS; at += GROUP_CHARS)
    groups.push(bare.slice(at, at + GROUP_CHARS));
  return groups.join('-');
}
