import type { Covers } from '#common/contracts/vote-aggregated.ts';

/** Where a vote's record lies, as its receipt says. */
export interface Place {
  readonly region: string;
  readonly partition: number;
  readonly offset: number;
}

/**
 * What one results stream has shown, and which accepted votes it has still to show. A vote is
 * visible with the first event whose `covers` passes its receipt's offset. Per partition the
 * awaited offsets are kept sorted: an event looks at the first of each and takes what it passes.
 */
export class Visibility {
  readonly #onVisible: (waitedMs: number) => void;
  readonly #queues = new Map<string, (OffsetQueue | undefined)[]>();
  #covers: Covers = {};
  #awaited = 0;

  /** @param onVisible is told how long each vote took from accepted to visible, in milliseconds */
  constructor(onVisible: (waitedMs: number) => void) {
    this.#onVisible = onVisible;
  }

  /** Accepted votes that are not visible yet. */
  get awaited(): number {
    return this.#awaited;
  }

  await(place: Place, acceptedAtMs: number): void {
    // The stream may be quicker than the answer to the voter: visible at the moment of acceptance.
    if ((this.#covers[place.region]?.[place.partition] ?? 0) > place.offset) {
      this.#onVisible(0);
      return;
    }
    let partitions = this.#queues.get(place.region);
    if (partitions === undefined) this.#queues.set(place.region, (partitions = []));
    (partitions[place.partition] ??= new OffsetQueue()).add(place.offset, acceptedAtMs);
    this.#awaited += 1;
  }

  event(covers: Covers, atMs: number): void {
    this.#covers = covers;
    if (this.#awaited === 0) return;
    for (const [region, queues] of this.#queues) {
      const offsets = covers[region];
      if (offsets === undefined) continue;
      for (const [partition, queue] of queues.entries()) {
        const next = offsets[partition];
        if (queue === undefined || next === undefined) continue;
        for (let at = queue.takeBelow(next); at !== undefined; at = queue.takeBelow(next)) {
          this.#awaited -= 1;
          this.#onVisible(atMs - at);
        }
      }
    }
  }

  /** Votes accepted before `beforeMs` that are not visible yet. */
  overdue(beforeMs: number): number {
    let count = 0;
    for (const queues of this.#queues.values()) {
      for (const queue of queues) count += queue?.acceptedBefore(beforeMs) ?? 0;
    }
    return count;
  }
}

/** Offsets in ascending order with the time each was accepted at; they come nearly in order. */
class OffsetQueue {
  #waiting: { readonly offset: number; readonly atMs: number }[] = [];

  add(offset: number, atMs: number): void {
    let place = this.#waiting.length;
    while (place > 0 && this.#waiting[place - 1]!.offset > offset) place -= 1;
    this.#waiting.splice(place, 0, { offset, atMs });
  }

  takeBelow(next: number): number | undefined {
    const first = this.#waiting[0];
    if (first === undefined || first.offset >= next) return undefined;
    this.#waiting.shift();
    return first.atMs;
  }

  acceptedBefore(beforeMs: number): number {
    let count = 0;
    for (const { atMs } of this.#waiting) if (atMs < beforeMs) count += 1;
    return count;
  }
}
