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

/** What is still to be written of a round: one chunk to what is left of one group. */
interface Job {
  readonly group: Group;
  readonly chunk: Chunk;
  readonly sequence: number;
  /** A snapshot goes to everybody, a change only to who has not been told it yet. */
  readonly isWhole: boolean;
  readonly left: Iterator<Stream>;
}

/**
 * Brings streams to the latest totals. A round takes one session's streams from the totals sent
 * last to the latest there are: it encodes once a group and offers the same bytes to each stream.
 * What changes while rounds are under way is one more round after them, however many changes those
 * were: what waits is a set of sessions, so it cannot grow.
 *
 * A round is written in slices, between which the event loop does other work. The loop over streams
 * is plain: as nested generators it cost a fifth of each delivery.
 */
export class Rounds {
  readonly #options: RoundsOptions;
  readonly #changed = new Set<Channel>();
  /** Of the round under way, at most one a group; last first. */
  #jobs: Job[] = [];
  #totalsAtMs: number | undefined;
  #isRunning = false;

  constructor(options: RoundsOptions) {
    this.#options = options;
  }

  /** Adds a round for the channel, soon: all changes of the same moment go into one. */
  add(channel: Channel): void {
    this.#changed.add(channel);
    if (this.#isRunning) return;
    this.#isRunning = true;
    setImmediate(this.#runSlice);
  }

  readonly #runSlice = (): void => {
    const untilMs = performance.now() + sliceMsMax;
    do {
      const job = this.#jobs.at(-1);
      if (job === undefined) {
        this.#endRound();
        const [channel] = this.#changed;
        this.#isRunning = channel !== undefined;
        if (channel === undefined) return;
        this.#beginRound(channel);
      } else if (this.#writeSome(job)) {
        this.#jobs.pop();
      }
    } while (performance.now() < untilMs);
    setImmediate(this.#runSlice);
  };

  /** Writes to the next few streams of a job; true when there are no more. */
  #writeSome({ group, chunk, sequence, isWhole, left }: Job): boolean {
    for (let writes = 0; writes < writesBetweenLooks; writes++) {
      const { done, value: stream } = left.next();
      if (done === true) return true;
      // Opened while the round was under way: its snapshot has told it.
      if (!isWhole && stream.sequence >= sequence) continue;
      stream.sequence = sequence;
      this.#options.offer(stream, group, chunk);
    }
    return false;
  }

  #beginRound(channel: Channel): void {
    this.#changed.delete(channel);
    const known = this.#options.state.get(channel.sessionId);
    if (known === undefined) return;
    const { previous, next } = channel.advance(known, this.#options.clock.now());
    this.#totalsAtMs = next.public.updatedAtMs;
    for (const group of channel.groups) {
      const job = this.#jobFor(group, previous[group.viewer], next[group.viewer]);
      if (job !== undefined) this.#jobs.push(job);
    }
  }

  #endRound(): void {
    if (this.#totalsAtMs !== undefined) this.#options.onRoundDone(this.#totalsAtMs);
    this.#totalsAtMs = undefined;
  }

  #jobFor(group: Group, previous: View, next: View): Job | undefined {
    if (isSameView(previous, next)) return undefined;
    const isWhole = needsSnapshot(previous, next);
    const chunk = isWhole
      ? this.#options.snapshots.getShared(next).event
      : this.#encode(previous, next, group.form);
    if (chunk === undefined) return undefined;
    return { group, chunk, sequence: next.sequence, isWhole, left: group.streams.values() };
  }

  #encode(previous: View, next: View, form: StreamForm): Chunk | undefined {
    const text = encodeChange(previous, next, form);
    if (text === undefined) return undefined;
    this.#options.onEncode();
    return frameChunk(text);
  }
}
