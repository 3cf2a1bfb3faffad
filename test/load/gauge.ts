import { Histogram } from './histogram.ts';

/** How a voter's submission ended; `open` while it is on its way. */
export type Outcome = 'accepted' | 'refused' | 'unknown';

/**
 * Everything that is measured while a crowd votes. Times are milliseconds of `performance.now()`.
 */
export class Gauge {
  /** From the intended start to the 201, retries and the wait for a connection included. */
  readonly submit = new Histogram();
  /** From the 201's arrival to the first stream event that covers it. */
  readonly visible = new Histogram();
  /** Answers other than 201, and missing ones, by code; one voter may meet several. */
  readonly errors = new Map<string, number>();
  /** Vote ids that were answered with 201. */
  readonly acceptedIds: string[] = [];
  /** Vote ids of all who submitted. */
  readonly voters: string[] = [];
  refused = 0;
  unknown = 0;
  /** When the last attempt that failed was sent, and when the latest 201 came. */
  lastFailureSentMs = 0;
  lastAcceptedMs = 0;

  get accepted(): number {
    return this.acceptedIds.length;
  }

  get inFlight(): number {
    return this.voters.length - this.accepted - this.refused - this.unknown;
  }

  get errorCount(): number {
    let sum = 0;
    for (const count of this.errors.values()) sum += count;
    return sum;
  }

  error(code: string, count = 1): void {
    this.errors.set(code, (this.errors.get(code) ?? 0) + count);
  }
}
