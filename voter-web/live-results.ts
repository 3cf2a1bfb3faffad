import type { Answer } from './api.ts';
import { backOffMs } from './back-off.ts';
import { applyTick, areFinal, newer, type Results, readResults, readTick } from './results.ts';

/** What a viewer sees: totals, and how they come in. `final`: they will not change any more. */
export type LiveResults = {
  results: Results | null;
  mode: 'connecting' | 'live' | 'polling' | 'final';
};

/** An open stream, as EventSource gives it. `refused`: the browser will not try again by itself. */
export type StreamHandlers = {
  onOpen: () => void;
  onSnapshot: (data: string) => void;
  onTick: (data: string, id: string) => void;
  onError: (refused: boolean) => void;
};

export type ResultsWorld = {
  askSnapshot: () => Promise<Answer>;
  openStream: (handlers: StreamHandlers) => { close: () => void };
  /** Calls back once after that time; returns what cancels it. */
  after: (ms: number, work: () => void) => () => void;
  now: () => number;
  random: () => number;
};

const firstPollMs = 1000;
const longestPollMs = 30_000;
/** A stream without an answer for this long is left for the snapshot. */
const connectMsMax = 5000;
/** Heartbeats are not visible here: after this much silence a snapshot tells whether it is dead. */
const silenceMsMax = 45_000;

/**
 * Follows the totals of one session: the snapshot for the first paint, then the stream; while there
 * is no stream, the snapshot again with back-off from 1 s to 30 s, and the stream tried with each.
 *
 * @returns what ends it
 */
export function followResults(world: ResultsWorld, tell: (live: LiveResults) => void): () => void {
  const follower = new Follower(world, tell);
  follower.start();
  return () => follower.end();
}

/**
 *   connecting ──open, snapshot, tick──► live
 *    └───────────refused, 5 s──────────► polling
 *   live ────────cut───────────────────► connecting (the browser tries again by itself)
 *    ├───────────refused───────────────► polling
 *    └───────────45 s of silence───────► live, on a new stream if the snapshot has news
 *   polling ─────open, snapshot, tick──► live
 *    └───────────back-off──────────────► polling: the snapshot, then the stream for 5 s
 *
 * Open alone is enough once totals are here. A final result ends it from anywhere. One timer at a
 * time: each step replaces the one before.
 */
class Follower {
  readonly #world: ResultsWorld;
  readonly #tell: (live: LiveResults) => void;
  #shown: LiveResults = { results: null, mode: 'connecting' };
  #stream: { close: () => void } | null = null;
  #cancelTimer = (): void => undefined;
  #failures = 0;
  #ended = false;

  constructor(world: ResultsWorld, tell: (live: LiveResults) => void) {
    this.#world = world;
    this.#tell = tell;
  }

  start(): void {
    void this.#poll();
    this.#connect();
  }

  end(): void {
    this.#ended = true;
    this.#cancelTimer();
    this.#stream?.close();
  }

  #show(results: Results | null, mode: LiveResults['mode']): void {
    if (this.#ended) return;
    this.#shown = { results, mode: areFinal(results) ? 'final' : mode };
    this.#tell(this.#shown);
    if (this.#shown.mode === 'final') this.end();
  }

  #schedule(ms: number, work: () => void): void {
    this.#cancelTimer();
    if (!this.#ended) this.#cancelTimer = this.#world.after(ms, work);
  }

  #connect(): void {
    if (this.#ended) return;
    this.#stream?.close();
    this.#stream = this.#world.openStream({
      onOpen: () => {
        // A resumed stream may have nothing to say for long: with totals here, open is enough.
        if (this.#shown.results !== null) this.#live(this.#shown.results);
      },
      onSnapshot: (data) => {
        const came = readResults(parse(data));
        if (came !== null) this.#live(newer(this.#shown.results, came));
      },
      onTick: (data, id) => {
        const tick = readTick(data);
        const { results } = this.#shown;
        if (tick === null || results === null) return;
        const at = new Date(this.#world.now()).toISOString();
        this.#live(applyTick(results, tick, Number(id), at));
      },
      onError: (refused) => this.#broken(refused),
    });
    this.#schedule(connectMsMax, () => this.#fallBack());
  }

  #live(results: Results): void {
    this.#failures = 0;
    this.#show(results, 'live');
    this.#schedule(silenceMsMax, () => this.#checkSilence());
  }

  #broken(refused: boolean): void {
    if (refused) {
      this.#fallBack();
    } else if (this.#shown.mode === 'live') {
      // The browser is reconnecting on its own: it gets some time before the snapshot takes over.
      this.#show(this.#shown.results, 'connecting');
      this.#schedule(connectMsMax, () => this.#fallBack());
    }
  }

  #fallBack(): void {
    this.#stream?.close();
    this.#stream = null;
    this.#failures += 1;
    this.#show(this.#shown.results, 'polling');
    const waitMs = backOffMs(this.#failures, this.#world.random(), firstPollMs, longestPollMs);
    this.#schedule(waitMs, () => void this.#poll().then(() => this.#connect()));
  }

  /** Asks for the snapshot; true when it told more than is shown. */
  async #poll(): Promise<boolean> {
    const answer = await this.#world.askSnapshot();
    const came = answer.kind === 'ok' ? readResults(answer.body) : null;
    if (this.#ended || came === null) return false;
    const { results, mode } = this.#shown;
    this.#show(newer(results, came), mode);
    return results !== null && came.sequence > results.sequence;
  }

  #checkSilence(): void {
    this.#schedule(silenceMsMax, () => this.#checkSilence());
    // News that the stream has not told mean that it is dead.
    void this.#poll().then((isNews) => (isNews ? this.#connect() : undefined));
  }
}

function parse(data: string): unknown {
  try {
    return JSON.parse(data);
  } catch {
    return null;
  }
}
