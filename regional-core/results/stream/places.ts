import { addressKey } from '#common/address-key.ts';

/** The places for open streams: so many in the process, so many of them for one address. */
export interface PlaceLimits {
  readonly streamsMax: number;
  readonly streamsPerAddressMax: number;
}

/**
 * Addresses that share an `addressKey` (an IPv6 /64) share their places. Releasing more than was
 * taken changes nothing.
 */
export class StreamPlaces {
  readonly #limits: PlaceLimits;
  readonly #takenByAddress = new Map<string, number>();
  #taken = 0;

  constructor(limits: PlaceLimits) {
    this.#limits = limits;
  }

  /** Takes a place; what is taken must be released once. */
  take(address: string): 'taken' | 'full' | 'address_full' {
    const bucket = addressKey(address);
    const ofAddress = this.#takenByAddress.get(bucket) ?? 0;
    if (this.#taken >= this.#limits.streamsMax) return 'full';
    if (ofAddress >= this.#limits.streamsPerAddressMax) return 'address_full';
    this.#taken += 1;
    this.#takenByAddress.set(bucket, ofAddress + 1);
    return 'taken';
  }

  release(address: string): void {
    const bucket = addressKey(address);
    const ofAddress = this.#takenByAddress.get(bucket) ?? 0;
    if (ofAddress === 0) return;
    this.#taken -= 1;
    if (ofAddress === 1) this.#takenByAddress.delete(bucket);
    else this.#takenByAddress.set(bucket, ofAddress - 1);
  }
}
