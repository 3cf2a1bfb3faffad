import { isIPv6 } from 'node:net';

/** The places for open streams: so many in the process, so many of them for one address. */
export interface PlaceLimits {
  readonly streamsMax: number;
  readonly streamsPerAddressMax: number;
}

export class StreamPlaces {
  readonly #limits: PlaceLimits;
  readonly #takenByAddress = new Map<string, number>();
  #taken = 0;

  constructor(limits: PlaceLimits) {
    this.#limits = limits;
  }

  /** Takes a place; what is taken must be released once. */
  take(address: string): 'taken' | 'full' | 'address_full' {
    const bucket = addressBucket(address);
    const ofAddress = this.#takenByAddress.get(bucket) ?? 0;
    if (this.#taken >= this.#limits.streamsMax) return 'full';
    if (ofAddress >= this.#limits.streamsPerAddressMax) return 'address_full';
    this.#taken += 1;
    this.#takenByAddress.set(bucket, ofAddress + 1);
    return 'taken';
  }

  release(address: string): void {
    const bucket = addressBucket(address);
    const ofAddress = this.#takenByAddress.get(bucket) ?? 0;
    if (ofAddress === 0) return;
    this.#taken -= 1;
    if (ofAddress === 1) this.#takenByAddress.delete(bucket);
    else this.#takenByAddress.set(bucket, ofAddress - 1);
  }
}

/**
 * What counts as one address: IPv4 as it is, IPv6 by its /64, of which a household has the whole.
 */
export function addressBucket(address: string): string {
  if (!isIPv6(address)) return address;
  // RFC 4291 section 2.5.5.2: an IPv4 address in IPv6's clothes.
  if (address.includes('.')) return address.slice(address.lastIndexOf(':') + 1);
  const [head = '', tail] = address.split('::');
  const groups = head === '' ? [] : head.split(':');
  const omitted = tail === undefined ? 0 : 8 - groups.length - (tail ? tail.split(':').length : 0);
  const all = [...groups, ...Array<string>(omitted).fill('0'), ...(tail ? tail.split(':') : [])];
  const prefix = all.slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16));
  return `${prefix.join(':')}::/64`;
}
