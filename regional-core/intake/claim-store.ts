/**
 * Where claims and the shared limits are kept. Two implementations: Redis, and one in memory that
 * forgets, stalls and fails on demand.
 *
 * Nothing here is trusted: whatever a store forgets costs a duplicate record at most. Every method
 * rejects when the store does not answer in time; what it was asked to write may be there then.
 */
export interface ClaimStore {
  /**
   * One round trip: counts the request in its address's window and takes a token of the voter's
   * bucket; then claims the vote for `pending` (bytes of a PENDING claim) unless a claim is held. A
   * PENDING claim of the same choice is renewed and loses its tag: two requests stand behind it
   * now, so that neither may take it back.
   */
  admit(request: ClaimRequest): Promise<ClaimAnswer>;
  /** Counts a request without a good ballot; gives the wait in ms, 0 when it is within bounds. */
  countStranger(addressKey: string): Promise<number>;
  /** Writes a DONE claim. One that is there already stays: its answer may have been given. */
  finish(voteId: string, done: Buffer): Promise<void>;
  /** Takes back exactly this PENDING claim, and no other. */
  withdraw(voteId: string, pending: Buffer): Promise<void>;
}

/**
 * `addressKey` is what `addressKey()` makes of the voter's address; `pending` what `encodePending`
 * made, with a tag of its own.
 */
export interface ClaimRequest {
  readonly addressKey: string;
  readonly voteId: string;
  readonly pending: Buffer;
}

export interface ClaimAnswer {
  /** Milliseconds to wait; 0 when within bounds. */
  readonly addressWaitMs: number;
  readonly voterWaitMs: number;
  /** The claim that was there before; undefined when there was none, or the voter must wait. */
  readonly held: Buffer | undefined;
}
