import { get, type IncomingMessage } from 'node:http';
import { sleep } from '#common/clock.ts';
import type { Covers } from '#common/contracts/vote-aggregated.ts';
import { viewerAddress } from './connections.ts';
import type { Target } from './target.ts';
import { Visibility } from './visibility.ts';

/**
 * Streams beyond these are followed but not read: reading them all would cost more than it tells.
 */
const readStreams = 20;
const eventBytesMax = 256 * 1024;
const reconnectMs = 1_000;
const openAtOnce = 50;

/**
 * Viewers who follow a session's results, each on a stream of its own through the edge. A voter
 * looks at one of the streams that are read, so a vote's time to visible is what one viewer sees
 * and not the best of many.
 */
export class Screens {
  readonly #target: Target;
  readonly #sessionId: string;
  readonly #closing = new AbortController();
  readonly #visibilities: Visibility[];
  #open = 0;
  #following: Promise<void>[] = [];

  constructor(target: Target, sessionId: string, onVisible: (waitedMs: number) => void) {
    this.#target = target;
    this.#sessionId = sessionId;
    this.#visibilities = Array.from({ length: readStreams }, () => new Visibility(onVisible));
  }

  get open(): number {
    return this.#open;
  }

  /** Accepted votes that their stream has not shown yet. */
  get awaited(): number {
    return this.#visibilities.reduce((sum, { awaited }) => sum + awaited, 0);
  }

  /** Accepted votes that their stream has not shown although they were accepted before this. */
  overdue(beforeMs: number): number {
    return this.#visibilities.reduce((sum, one) => sum + one.overdue(beforeMs), 0);
  }

  /** The screen that this voter looks at. */
  of(voter: number): Visibility {
    return this.#visibilities[voter % this.#visibilities.length]!;
  }

  /** Opens the streams, 50 at a time, and resolves when all have begun (20 s at most). */
  async begin(streams: number): Promise<void> {
    this.#visibilities.length = Math.min(this.#visibilities.length, streams);
    for (let number = 0; number < streams; number += 1) {
      this.#following.push(this.#follow(number));
      if (number % openAtOnce === openAtOnce - 1) await this.#reach(number + 1 - openAtOnce / 2);
    }
    if (!(await this.#reach(streams))) {
      throw new Error(`Only ${this.#open} of ${streams} results streams could be opened.`);
    }
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all(this.#following);
  }

  async #reach(streams: number): Promise<boolean> {
    const deadline = performance.now() + 20_000;
    while (this.#open < streams && performance.now() < deadline) await sleep(20);
    return this.#open >= streams;
  }

  async #follow(number: number): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      await this.#readOnce(number).catch(() => {});
      await sleep(reconnectMs * (0.5 + Math.random()), signal);
    }
  }

  async #readOnce(number: number): Promise<void> {
    const path = `/api/v1/results/${this.#sessionId}/stream?format=tick&covers=1`;
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      get({
        host: '127.0.0.1',
        port: this.#target.port,
        path,
        headers: { host: this.#target.host, accept: 'text/event-stream' },
        localAddress: viewerAddress(number % 50_000),
        agent: false,
        signal: this.#closing.signal,
      })
        .on('response', resolve)
        .on('error', reject);
    });
    if (response.statusCode !== 200) {
      response.resume();
      throw new Error(`a stream was answered with ${response.statusCode}`);
    }
    this.#open += 1;
    try {
      const visibility = this.#visibilities[number];
      if (visibility === undefined) await drain(response);
      else await readEvents(response, (covers, atMs) => visibility.event(covers, atMs));
    } finally {
      this.#open -= 1;
    }
  }
}

async function drain(response: IncomingMessage): Promise<void> {
  await new Promise<void>((resolve) => {
    response.on('error', () => resolve()).on('close', () => resolve());
    response.resume();
  });
}

async function readEvents(
  response: IncomingMessage,
  onCovers: (covers: Covers, atMs: number) => void,
): Promise<void> {
  let text = '';
  response.setEncoding('utf8');
  for await (const chunk of response) {
    const atMs = performance.now();
    text += String(chunk);
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const covers = coversOf(text.slice(0, end));
      text = text.slice(end + 2);
      if (covers !== undefined) onCovers(covers, atMs);
    }
    if (text.length > eventBytesMax) throw new Error('an event does not end');
  }
}

/** The covers that an event carries; undefined for a heartbeat, a hint or an event without them. */
export function coversOf(event: string): Covers | undefined {
  const start = /(?:^|\n)data: ?/.exec(event);
  if (start === null) return undefined;
  const data = event.slice(start.index + start[0].length).split('\n', 1)[0]!;
  return (JSON.parse(data) as { covers?: Covers }).covers;
}
