import { createHash } from 'node:crypto';

/**
 * The digest of a result: what two people sign, and what every recount must give again. It is a
 * function of the votes that count alone, whatever the order they are met in, the regions, the
 * copies and the fail-overs. Numbers are big-endian:
 *
 *   entry  = vote_id 16 bytes │ option_id: length u16, UTF-8 │ accepted_at u64, ms
 *   bucket = SHA-256 of its entries, sorted by vote_id; a vote's bucket is its id's first two bytes
 *   digest = SHA-256 of (bucket number u16 │ bucket), buckets without a vote left out, in order
 *
 * Postgres computes the same in `votes.result_digest`. Vote ids are HMACs, so 300 million votes
 * are 4,578 a bucket: one bucket at a time fits into any memory.
 */
export interface CountedVote {
  /** 16 bytes. */
  readonly voteId: Buffer;
  readonly optionId: string;
  readonly acceptedAtMs: number;
}

export const digestBuckets = 65_536;

/** The bucket of a vote, 0 to 65,535. */
export function bucketOf(voteId: Buffer): number {
  return voteId.readUInt16BE(0);
}

const voteIdBytes = 16;
/** About 60 bytes each and their object: half a gigabyte. */
const votesHeldMaxByDefault = 4_000_000;

/** Throws a TypeError for what is no vote. */
function encodeEntry({ voteId, optionId, acceptedAtMs }: CountedVote): Buffer {
  const option = Buffer.from(optionId);
  if (voteId.length !== voteIdBytes || option.length > 0xffff) {
    throw new TypeError('a counted vote has an id of 16 bytes and an option of at most 65,535');
  }
  const entry = Buffer.allocUnsafe(voteIdBytes + 2 + option.length + 8);
  voteId.copy(entry, 0);
  entry.writeUInt16BE(option.length, voteIdBytes);
  option.copy(entry, voteIdBytes + 2);
  entry.writeBigUInt64BE(BigInt(acceptedAtMs), voteIdBytes + 2 + option.length);
  return entry;
}

/**
 * Takes votes in any order. Memory is bounded by whoever reads: votes that come range by range of
 * their ids are given away with `closeBelow` after each range, in order of vote_id after each
 * bucket; otherwise all are held, at most `votesHeldMax`.
 */
export class ResultDigest {
  readonly #votesHeldMax: number;
  readonly #hash = createHash('sha256');
  readonly #open = new Map<number, Buffer[]>();
  #held = 0;
  #closedBelow = 0;
  #votes = 0;

  constructor(votesHeldMax = votesHeldMaxByDefault) {
    this.#votesHeldMax = votesHeldMax;
  }

  /** Votes added so far. */
  get votes(): number {
    return this.#votes;
  }

  /** Throws a RangeError for a bucket that was closed, and when too many votes are held. */
  add(vote: CountedVote): void {
    const bucket = bucketOf(vote.voteId);
    if (bucket < this.#closedBelow) throw new RangeError(`bucket ${bucket} was closed before`);
    if (this.#held >= this.#votesHeldMax) {
      throw new RangeError(`more than ${this.#votesHeldMax} votes in buckets that are open`);
    }
    const entries = this.#open.get(bucket);
    if (entries === undefined) this.#open.set(bucket, [encodeEntry(vote)]);
    else entries.push(encodeEntry(vote));
    this.#held++;
    this.#votes++;
  }

  /**
   * No more votes come for the buckets below this one. Throws a RangeError when a vote id was added
   * twice: one voter would count two times.
   */
  closeBelow(bucket: number): void {
    const done = [...this.#open.keys()].filter((number) => number < bucket);
    for (const number of done.toSorted((a, b) => a - b)) {
      const entries = this.#open.get(number)!;
      this.#open.delete(number);
      this.#held -= entries.length;
      this.#hash.update(Uint8Array.of(number >> 8, number & 0xff)).update(bucketDigest(entries));
    }
    this.#closedBelow = Math.max(this.#closedBelow, bucket);
  }

  /** The digest in lower-case hex; nothing can be added after it. */
  hex(): string {
    this.closeBelow(digestBuckets);
    return this.#hash.digest('hex');
  }
}

function bucketDigest(entries: readonly Buffer[]): Buffer {
  // The ids come first and have one length, so comparing entries compares ids.
  const sorted = entries.toSorted((a, b) => a.compare(b));
  const hash = createHash('sha256');
  for (const [index, entry] of sorted.entries()) {
    if (sorted[index - 1]?.compare(entry, 0, voteIdBytes, 0, voteIdBytes) === 0) {
      throw new RangeError('a vote id was added twice');
    }
    hash.update(entry);
  }
  return hash.digest();
}
