import type { Clock } from './clock.ts';
import { type ClockError, clockErrorMsMax } from './clock-bound.ts';

/** The time a peer told, and when on our monotonic clock it was asked and heard. */
export interface PeerTime {
  /** Milliseconds since the epoch by the peer's clock. */
  readonly ms: number;
  /** The peer's time was cut to this many milliseconds: 1000 for a `Date` header. */
  readonly resolutionMs: number;
  readonly askedMs: number;
  readonly heardMs: number;
}

/** A wall clock against our monotonic one, and how far that reading may be off. */
interface Reading {
  readonly ms: number;
  readonly uncertaintyMs: number;
}

interface HeardReading extends Reading {
  readonly heardMs: number;
}

/** `Date.now()` cuts up to a millisecond off, on both ends of a comparison. */
const readingMs = 2;
const samplesMax = 8;
const sampleMsMax = 60_000;
/** A clock that was set must stand still this long, and be vouched for, to be trusted again. */
const steadyMsMin = 30_000;
const readsMax = 3;

/**
 * Decides whether the wall clock may decide who voted in time. Two things make it doubtful:
 *
 * – It parts from the monotonic clock by more than its bound: somebody set it. Both are disciplined
 *   alike, so on a healthy machine they never part. Once it has stood still for 30 s and the time
 *   service or most peers vouch for it, it is trusted again from where it stands.
 * – Most of its peers, two at least, say that it is off by more than the bound and what the way of
 *   their answer may hide (half a round trip). One alone decides nothing: it may be the wrong one.
 *
 * Peers are compared by way of the monotonic clock, so an answer that came before a step of ours
 * still tells; of a peer's last answers the one with the shortest way counts. A busy machine makes
 * the ways longer, which makes the doubt smaller and never a false alarm.
 */
export class ClockJudge {
  readonly #clock: Pick<Clock, 'now' | 'monotonicMs'>;
  readonly #error: () => ClockError;
  readonly #canVouch: boolean;
  #peersDoubt: string | undefined;
  readonly #peers = new Map<string, HeardReading[]>();
  #anchor: Reading;
  /** Where the clock stands since it parted, and since when. */
  #steady: { readonly at: Reading; readonly sinceMs: number } | undefined;

  /** @param canVouch the source of the error watches the clock itself (it is not a declared one) */
  constructor(
    clock: Pick<Clock, 'now' | 'monotonicMs'>,
    error: () => ClockError,
    canVouch: boolean,
  ) {
    this.#clock = clock;
    this.#error = error;
    this.#canVouch = canVouch;
    this.#anchor = this.#read();
  }

  hear(peer: string, { ms, resolutionMs, askedMs, heardMs }: PeerTime): void {
    const wayMs = heardMs - askedMs;
    const offset = {
      ms: ms + resolutionMs / 2 - (askedMs + heardMs) / 2,
      uncertaintyMs: (wayMs + resolutionMs) / 2,
      heardMs,
    };
    this.#peers.set(peer, [...(this.#peers.get(peer) ?? []), offset].slice(-samplesMax));
  }

  /** Why the wall clock must not decide now, a sentence each; none when it may. */
  doubts(): string[] {
    const error = this.#error();
    if ('unknown' in error) return [`the error of the clock is not known: ${error.unknown}`];
    if (error.ms > clockErrorMsMax) {
      return [`the clock may be off by ${error.ms} ms; ${clockErrorMsMax} ms is the most`];
    }
    const doubts: string[] = [];
    const at = this.#read();
    if (areApart(at, this.#anchor, error.ms)) {
      const movedMs = Math.round(at.ms - this.#anchor.ms);
      doubts.push(`the clock was set: it moved by ${movedMs} ms against the monotonic clock`);
    }
    if (this.#peersDoubt !== undefined) doubts.push(this.#peersDoubt);
    return doubts;
  }

  /** Call it each second or so: asks what the peers said, forgives a step that was vouched for. */
  review(): void {
    const error = this.#error();
    const errorMs = 'ms' in error ? error.ms : 0;
    const at = this.#read();
    const { asked, against, medianMs } = this.#hearPeers(at, errorMs, 0);
    this.#peersDoubt =
      asked >= 2 && against * 2 > asked
        ? `${against} of ${asked} peers say that the clock is off by ${Math.round(medianMs)} ms`
        : undefined;
    if ('ms' in error) this.#forgive(at, error.ms);
  }

  #forgive(at: Reading, errorMs: number): void {
    const nowMs = this.#clock.monotonicMs();
    if (!areApart(at, this.#anchor, errorMs)) {
      this.#steady = undefined;
      return;
    }
    if (this.#steady === undefined || areApart(at, this.#steady.at, errorMs)) {
      this.#steady = { at, sinceMs: nowMs };
    }
    const { sinceMs } = this.#steady;
    if (nowMs - sinceMs < steadyMsMin) return;
    const { asked, against } = this.#hearPeers(at, errorMs, sinceMs);
    if (against > 0 || (!this.#canVouch && asked < 2)) return;
    this.#anchor = at;
    this.#steady = undefined;
  }

  /** Peers that answered lately, and how many of them say that this clock is off. */
  #hearPeers(
    at: Reading,
    errorMs: number,
    sinceMs: number,
  ): { asked: number; against: number; medianMs: number } {
    const leastMs = Math.max(sinceMs, this.#clock.monotonicMs() - sampleMsMax);
    const off: number[] = [];
    let against = 0;
    for (const samples of this.#peers.values()) {
      const fresh = samples.filter(({ heardMs }) => heardMs >= leastMs);
      const best = fresh.toSorted((a, b) => a.uncertaintyMs - b.uncertaintyMs)[0];
      if (best === undefined) continue;
      off.push(at.ms - best.ms);
      if (areApart(at, best, errorMs)) against++;
    }
    const medianMs = off.toSorted((a, b) => a - b)[Math.floor(off.length / 2)] ?? 0;
    return { asked: off.length, against, medianMs };
  }

  /** Wall minus monotonic clock: of a few readings the one that was interrupted the least. */
  #read(): Reading {
    let best: Reading | undefined;
    for (let read = 0; read < readsMax && (best?.uncertaintyMs ?? 1) > 0.5; read++) {
      const beforeMs = this.#clock.monotonicMs();
      const wallMs = this.#clock.now();
      const afterMs = this.#clock.monotonicMs();
      const uncertaintyMs = (afterMs - beforeMs) / 2;
      if (best !== undefined && best.uncertaintyMs <= uncertaintyMs) continue;
      best = { ms: wallMs - (beforeMs + afterMs) / 2, uncertaintyMs };
    }
    return best!;
  }
}

/** True when two readings are further apart than the error and their own uncertainty explain. */
function areApart(one: Reading, other: Reading, errorMs: number): boolean {
  const slackMs = errorMs + one.uncertaintyMs + other.uncertaintyMs + readingMs;
  return Math.abs(one.ms - other.ms) > slackMs;
}
