import type { Answer } from './api.ts';
import { backOffMs } from './back-off.ts';
import { applyTick, newer, type Results, readResults, readTick } from './results.ts';

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
 * Follows the totals of one session: the snapshot for the first paint, then the stream, and while there
 * is no stream the snapshot again with back-off from 1 s to 30 s, trying the stream with each.
 *
 * @returns what ends it
 */
export function followResults(world: ResultsWorld, tell: (live: LiveResults) => void): () => void {
  let shown: LiveResults = { results: null, mode: 'connecting' };
  let stream: { close: () => void } | null = null;
  let cancelTimer = (): void => undefined;
  let failures = 0;
  let ended = false;

  function show(results: Results | null, mode: LiveResults['mode']): void {
    if (ended) return;
    shown = { results, mode: results?.is_finalized === true ? 'final' : mode };
    tell(shown);
    if (shown.mode === 'final') end();
  }

  function schedule(ms: number, work: () => void): void {
    cancelTimer();
    if (!ended) cancelTimer = world.after(ms, work);
  }

  function openStream(): void {
    if (ended) return;
    stream?.close();
    stream = world.openStream({
      onOpen() {
        // A resumed stream may have nothing to say for long: being open is enough when totals are here.
        if (shown.results === null) return;
        show(shown.results, 'live');
        schedule(silenceMsMax, checkSilence);
      },
      onSnapshot(data) {
        failures = 0;
        const came = readResults(parse(data));
        if (came !== null) show(newer(shown.results, came), 'live');
        schedule(silenceMsMax, checkSilence);
      },
      onTick(data, id) {
        const tick = readTick(data);
        if (tick === null || shown.results === null) return;
        const at = new Date(world.now()).toISOString();
        show(applyTick(shown.results, tick, Number(id), at), 'live');
        schedule(silenceMsMax, checkSilence);
      },
      onError(refused) {
        if (refused) fallBack();
        // The browser is reconnecting on its own: it gets some time before the snapshot takes over.
        else if (shown.mode === 'live') {
          show(shown.results, 'connecting');
          schedule(connectMsMax, fallBack);
        }
      },
    });
    schedule(connectMsMax, fallBack);
  }

  function fallBack(): void {
    stream?.close();
    stream = null;
    failures += 1;
    show(shown.results, 'polling');
    schedule(backOffMs(failures, world.random(), firstPollMs, longestPollMs), () => {
      void pollSnapshot().then(openStream);
    });
  }

  async function pollSnapshot(): Promise<boolean> {
    const answer = await world.askSnapshot();
    const came = answer.kind === 'ok' ? readResults(answer.body) : null;
    if (ended || came === null) return false;
    const isNews = shown.results !== null && came.sequence > shown.results.sequence;
    show(newer(shown.results, came), shown.mode);
    return isNews;
  }

  function checkSilence(): void {
    schedule(silenceMsMax, checkSilence);
    // News that the stream has not told mean that it is dead.
    void pollSnapshot().then((isNews) => (isNews ? openStream() : undefined));
  }

  function end(): void {
    ended = true;
    cancelTimer();
    stream?.close();
  }

  void pollSnapshot();
  openStream();
  return end;
}

function parse(data: string): unknown {
  try {
    return JSON.parse(data);
  } catch {
    return null;
  }
}
