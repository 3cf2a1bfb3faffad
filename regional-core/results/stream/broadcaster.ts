import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { type Clock, MINUTE_MS, SECOND_MS, sleep } from '#common/clock.ts';
import type { Snapshots } from '../snapshot/snapshots.ts';
import type { Known, ResultsState } from '../state.ts';
import { type Viewer, viewOf } from '../view.ts';
import { isSameView, type StreamForm } from './change.ts';
import { Channel, type Group } from './channel.ts';
import { Rounds } from './rounds.ts';
import { type Chunk, encodeRetry, frameChunk, heartbeatText } from './sse.ts';
import { Stream } from './stream.ts';

export type EndReason = 'client' | 'deadline' | 'stuck' | 'drain';

/** What the broadcaster tells of its work. */
export interface BroadcasterMetrics {
  readonly opened: () => void;
  readonly ended: (reason: EndReason) => void;
  /** Once a round: a counter a delivery would cost as much as a tenth of the delivery. */
  readonly delivered: (chunks: number) => void;
  readonly dropped: () => void;
  readonly encodedChange: () => void;
  /** Every stream of a session was offered totals of that wall-clock time, ms. */
  readonly roundDone: (totalsAtMs: number) => void;
}

export interface BroadcasterOptions {
  readonly state: ResultsState;
  readonly snapshots: Snapshots;
  readonly clock: Clock;
  readonly random: () => number;
  readonly metrics: BroadcasterMetrics;
}

export interface StreamRequest {
  readonly known: Known;
  readonly viewer: Viewer;
  readonly form: StreamForm;
  /** What the client has seen, when it connects again. */
  readonly lastSequence: number | undefined;
  readonly response: ServerResponse;
  readonly socket: Socket;
}

/** Each stream has one of these seconds to itself for its heartbeat: one every 15 s. */
const heartbeatSlots = 15;
const lifeMs = { base: 10 * MINUTE_MS, jitter: 0.2 };
const stuckMsMax = 30 * SECOND_MS;
const retryMs = { base: 2 * SECOND_MS, jitter: 3 * SECOND_MS };
const drainSpreadMs = 2 * SECOND_MS;
const drainStepMs = 20;

const heartbeat = frameChunk(heartbeatText);

/**
 * Every open stream of this process: opens them, hands them to the rounds of their session, keeps
 * them alive and ends them. Nothing here may be lost: a client that misses something is given a
 * snapshot, or connects again and is given one then.
 */
export class Broadcaster {
  readonly #options: BroadcasterOptions;
  readonly #rounds: Rounds;
  readonly #channels = new Map<string, Channel>();
  readonly #slots = Array.from({ length: heartbeatSlots }, () => new Map<Stream, Group>());
  readonly #behind = new Set<Stream>();
  /** Ended streams whose reader has not taken the end yet, and since when, monotonic ms. */
  readonly #ending = new Map<Stream, number>();
  #nextSlotNo = 0;
  #deliveredInRound = 0;

  constructor(options: BroadcasterOptions) {
    const { state, snapshots, clock, metrics } = options;
    this.#options = options;
    this.#rounds = new Rounds({
      state,
      snapshots,
      clock,
      onEncode: metrics.encodedChange,
      offer: (stream, group, chunk) => this.#offer(stream, group, chunk),
      onRoundDone: (totalsAtMs) => {
        metrics.delivered(this.#deliveredInRound);
        metrics.roundDone(totalsAtMs);
        this.#deliveredInRound = 0;
      },
    });
  }

  /** Opens a stream: headers, a retry hint, and the snapshot unless the client has seen as much. */
  open(request: StreamRequest): void {
    const { known, viewer, form, response, socket } = request;
    const { clock, random, snapshots, metrics } = this.#options;
    const view = viewOf(known, viewer, clock.now());
    const life = lifeMs.base * (1 - lifeMs.jitter + 2 * lifeMs.jitter * random());
    socket.cork();
    const stream = new Stream(response, socket, {
      endsAtMs: clock.monotonicMs() + life,
      slotNo: Math.floor(random() * heartbeatSlots),
      sequence: view.sequence,
    });
    stream.write(this.#retryHint());
    // While a session is open, the same sequence shows the same unless it is stale; once it is
    // closed it may show more.
    const isLevel = (request.lastSequence ?? -1) >= view.sequence;
    const hasSeenAll = view.state === 'open' && !view.isStale && isLevel;
    if (!hasSeenAll) stream.write(snapshots.get(view).event);
    socket.uncork();
    const group = this.#channelOf(known).groupOf(viewer, form);
    group.streams.add(stream);
    this.#slots[stream.slotNo]!.set(stream, group);
    metrics.opened();
    response.once('close', () => {
      this.#ending.delete(stream);
      this.#remove(stream, 'client');
    });
  }

  /** Says that something of a session changed: its streams hear of it in a round. */
  markChanged(sessionId: string): void {
    const channel = this.#channels.get(sessionId);
    if (channel !== undefined) this.#rounds.add(channel);
  }

  /**
   * To be called once a second: heartbeats for a fifteenth of the streams, the end of those whose
   * time has come or whose reader takes nothing, and rounds for what changes with the clock alone.
   */
  sweep(): void {
    const { clock, state } = this.#options;
    const nowMs = clock.monotonicMs();
    for (const stream of this.#slots[this.#nextSlotNo]!.keys()) {
      if (nowMs >= stream.endsAtMs) this.#end(stream, 'deadline');
      else if (stream.behindSinceMs === undefined) stream.write(heartbeat);
    }
    this.#nextSlotNo = (this.#nextSlotNo + 1) % heartbeatSlots;
    for (const stream of this.#behind) {
      if (nowMs - (stream.behindSinceMs ?? nowMs) < stuckMsMax) continue;
      this.#remove(stream, 'stuck');
      stream.destroy();
    }
    for (const [stream, sinceMs] of this.#ending) {
      if (nowMs - sinceMs >= stuckMsMax) stream.destroy();
    }
    for (const channel of this.#channels.values()) {
      const known = state.get(channel.sessionId);
      if (known === undefined) continue;
      const isOutdated = !isSameView(channel.sent.public, viewOf(known, 'public', clock.now()));
      if (isOutdated) this.#rounds.add(channel);
    }
  }

  /** Ends every stream, spread over two seconds, each with another moment to come back. */
  async drain(): Promise<void> {
    const streams = this.#slots.flatMap((slot) => [...slot.keys()]);
    const atOnce = Math.max(1, Math.ceil((streams.length * drainStepMs) / drainSpreadMs));
    for (let at = 0; at < streams.length; at += atOnce) {
      for (const stream of streams.slice(at, at + atOnce)) this.#end(stream, 'drain');
      await sleep(drainStepMs);
    }
  }

  #channelOf(known: Known): Channel {
    const { session_id } = known.session;
    const found = this.#channels.get(session_id);
    if (found !== undefined) return found;
    const channel = new Channel(known, this.#options.clock.now());
    this.#channels.set(session_id, channel);
    return channel;
  }

  #offer(stream: Stream, group: Group, chunk: Chunk): void {
    const { clock, metrics } = this.#options;
    if (stream.behindSinceMs === undefined && !stream.isClogged) {
      stream.write(chunk);
      this.#deliveredInRound += 1;
      return;
    }
    metrics.dropped();
    if (stream.behindSinceMs !== undefined) return;
    this.#behind.add(stream);
    stream.fallBehind(clock.monotonicMs(), () => this.#catchUp(stream, group));
  }

  /** The reader has taken what waited: everything dropped meanwhile is in the latest snapshot. */
  #catchUp(stream: Stream, { channel, viewer }: Group): void {
    this.#behind.delete(stream);
    const view = channel.sent[viewer];
    stream.sequence = view.sequence;
    stream.write(this.#options.snapshots.getShared(view).event);
  }

  #end(stream: Stream, reason: 'deadline' | 'drain'): void {
    // The end is heard as the response's own 'close'; it must not count a second time.
    if (!this.#remove(stream, reason)) return;
    this.#ending.set(stream, this.#options.clock.monotonicMs());
    stream.write(this.#retryHint());
    stream.end({ closing: reason === 'drain' });
  }

  #remove(stream: Stream, reason: EndReason): boolean {
    const slot = this.#slots[stream.slotNo]!;
    const group = slot.get(stream);
    if (group === undefined) return false;
    slot.delete(stream);
    this.#behind.delete(stream);
    stream.detach();
    const { channel } = group;
    channel.remove(group, stream);
    if (channel.isEmpty) this.#channels.delete(channel.sessionId);
    this.#options.metrics.ended(reason);
    return true;
  }

  #retryHint(): Chunk {
    return frameChunk(encodeRetry(retryMs.base + retryMs.jitter * this.#options.random()));
  }
}
