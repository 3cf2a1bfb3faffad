import { isIPv6 } from 'node:net';

/**
 * What one connection to the Internet can change at will must not be a key: of an IPv6 address only
 * the first 64 bits count, since every home has that many. An IPv4 address counts whole.
 */
export function addressKey(address: string): string {
  const bare = address.replace(/^\[|\]$/g, '').replace(/%.*$/, '');
  if (!isIPv6(bare)) return bare;
  // RFC 4291 section 2.5.5.2: an IPv4 address in IPv6's clothes.
  if (bare.includes('.')) return bare.slice(bare.lastIndexOf(':') + 1);
  // The URL parser knows every spelling of an IPv6 address and has one way to write it.
  const canonical = new URL(`http://[${bare}]/`).hostname.slice(1, -1);
  const [head = '', tail] = canonical.split('::');
  const groups = head === '' ? [] : head.split(':');
  if (tail !== undefined) {
    const last = tail === '' ? [] : tail.split(':');
    while (groups.length + last.length < 8) groups.push('0');
    groups.push(...last);
  }
  return `${groups.slice(0, 4).join(':')}::/64`;
}
