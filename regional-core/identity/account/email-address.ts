import { domainToASCII } from 'node:url';

/** RFC 5321 section 4.5.3.1: 64 octets before the @, 254 in all. */
export const emailLengthMax = 254;
const localLengthMax = 64;

/**
 * The one spelling under which an address is known: NFKC, lower case, the domain in ASCII. Gives
 * undefined for what cannot be delivered to, or could smuggle a second recipient or header.
 */
export function normalizeEmail(typed: string): string | undefined {
  if (typed.length > emailLengthMax) return undefined;
  const [local, domain, more] = typed.trim().normalize('NFKC').toLowerCase().split('@');
  if (!local || !domain || more !== undefined) return undefined;
  if (Buffer.byteLength(local) > localLengthMax) return undefined;
  // Letters and digits of any script, and what RFC 5322 calls atext; dots only between them.
  if (
    !/^[\p{L}\p{M}\p{N}!#$%&'*+/=?^_`{|}~-]+(\.[\p{L}\p{M}\p{N}!#$%&'*+/=?^_`{|}~-]+)*$/u.test(
      local,
    )
  ) {
    return undefined;
  }
  const ascii = domainToASCII(domain);
  if (!/^([a-z\d]([a-z\d-]{0,61}[a-z\d])?\.)+[a-z][a-z\d-]{0,61}[a-z\d]$/.test(ascii)) {
    return undefined;
  }
  const email = `${local}@${ascii}`;
  return Buffer.byteLength(email) > emailLengthMax ? undefined : email;
}
