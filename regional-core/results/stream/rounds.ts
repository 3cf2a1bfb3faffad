import type { Clock } from '#common/clock.ts';
import type { Snapshots } from '../snapshot/snapshots.ts';
import type { ResultsState } from '../state.ts';
import type { View } from '../view.ts';
import { encodeChange, isSameView, needsSnapshot, type StreamForm } from './change.ts';
import type { Channel, Group } from './channel.ts';
import { type Chunk, frameChunk } from './sse.ts';
import type { Stream } from './stream.ts';

export interface RoundsOptions {
  readonly state: ResultsState;
  readonly snapshots: Snapshots;
  readonly clock: Clock;
  readonly onEncode: () => void;
  /** Writes the chunk, or drops it for a slow reader. */
  readonly offer: (stream: Stream, group: Group, chunk: Chunk) => void;
  /** A round is over: every stream of its session was offered totals of that wall-clock time. */
  readonly onRoundDone: (totalsAtMs: number) => void;
}

/** Longest piece of a round before requests get their turn: 20,000 streams take about 120 ms. */
const sliceMsMax = 10;
const writesBetweenLooks = 64;

/**
 * Brings streams to the latest totals. A round takes one session's streams from the totals sent
 * last to the latest there are: it encodes once a group and offers the same bytes to each stream.
 * What changes while rounds are under way is one more round after them, however many changes those
 * were: what waits is a set of sessions, so it cannot grow.
 */
export class Rounds {
  readonly #options: RoundsOptions;
  readonly #changed = new Set<Channel>();
  #writes: Generator<void, void> | undefined;

  constructor(options: RoundsOptions) {
    this.#options = options;
  }

  /** Adds a round for the channel, soon: all changes of the same moment go into one. */
  add(channel: Channel): void {
    this.#changed.add(channel);
    if (this.#writes !== undefined) return;
    this.#writes = this.#writeAll();
    setImmediate(this.#runSlice);
  }

  readonly #runSlice = (): void => {
    const untilMs = performance.now() + sliceMsMax;
    for (let writes = 1; this.#writes?.next().done === false; writes++) {
      if (writes % writesBetweenLooks !== 0 || performance.now() < untilMs) continue;
      setImmediate(this.#runSlice);
      return;
    }
    this.#writes = undefined;
  };

  /** Every round there is to do; yields after each stream. */
  *#writeAll(): Generator<void, void> {
    // A channel that changes again while this runs comes back at the end of the set.
    for (const channel of this.#changed) {
      this.#changed.delete(channel);
      const known = this.#options.state.get(channel.sessionId);
      if (known === undefined) continue;
      const { previous, next } = channel.advance(known, this.#options.clock.now());
      for (const group of channel.groups) {
        yield* this.#writeGroup(group, previous[group.viewer], next[group.viewer]);
      }
      this.#options.onRoundDone(next.public.updatedAtMs);
    }
  }

  *#writeGroup(group: Group, previous: View, next: View): Generator<void, void> {
    if (isSameView(previous, next)) return;
    const isWhole = needsSnapshot(previous, next);
    const chunk = isWhole
      ? this.#options.snapshots.getShared(next).event
      : this.#encode(previous, next, group.form);
    if (chunk === undefined) return;
    for (const stream of group.streams) {
      // Opened while the round was under way: its snapshot has told it.
      if (!isWhole && stream.sequence >= next.sequence) continue;
      stream.sequence = next.sequence;
      this.#options.offer(stream, group, chunk);
      yield;
    }
  }

  #encode(previous: View, next: View, form: StreamForm): Chunk | undefined {
    const text = encodeChange(previous, next, form);
    if (text === undefined) return undefined;
    this.#options.onEncode();
    return frameChunk(text);
  }
}
