import { connect, type Socket } from 'node:net';
import { sleep } from '#common/clock.ts';
import type { LabKeys } from '../lab/lab.ts';

export interface ViewerOptions {
  /** False: it asks for the stream and takes nothing of it. */
  readonly isReading: boolean;
  /** Connects again, jittered, when the stream ends, with the id of the last event. */
  readonly comesBack?: boolean;
}

const backMsMax = 3000;

/** Somebody who watches the results of a session. */
export class Viewer {
  readonly #connect: () => Socket;
  readonly #options: ViewerOptions;
  readonly #times: number[] = [];
  #socket: Socket;
  #isClosed = false;
  lastEventMs = Number.NEGATIVE_INFINITY;
  lastId = '';

  constructor(make: (lastId: string) => Socket, options: ViewerOptions) {
    this.#connect = () => make(this.lastId);
    this.#options = options;
    this.#socket = this.#watch();
  }

  /** The longest time without a word from `sinceMs` (monotonic) to now. */
  longestQuietMs(sinceMs: number): number {
    const heard = this.#times.filter((time) => time > sinceMs);
    const times = [sinceMs, ...heard, performance.now()];
    return Math.max(0, ...times.slice(1).map((time, at) => time - times[at]!));
  }

  close(): void {
    this.#isClosed = true;
    this.#socket.destroy();
  }

  #watch(): Socket {
    const socket = this.#connect();
    socket.on('error', () => undefined);
    if (!this.#options.isReading) return socket.pause();
    socket.on('data', (bytes) => this.#take(socket, bytes.toString('latin1')));
    if (this.#options.comesBack === true) socket.once('close', () => void this.#comeBack());
    return socket;
  }

  #take(socket: Socket, text: string): void {
    // Told to come again: the connection itself would stay.
    if (/^HTTP\/1\.1 (?!200)/.test(text)) return void socket.destroy();
    if (!text.includes('data:')) return;
    this.lastEventMs = performance.now();
    this.#times.push(this.lastEventMs);
    this.lastId = /^id: ?(\S+)/m.exec(text)?.[1] ?? this.lastId;
  }

  async #comeBack(): Promise<void> {
    if (this.#isClosed) return;
    await sleep(Math.random() * backMsMax);
    if (!this.#isClosed) this.#socket = this.#watch();
  }
}

/** Viewers of one session, straight at a results process. */
export class Viewers {
  readonly #keys: LabKeys;
  readonly #sessionId: string;
  readonly #port: number;
  readonly #all: Viewer[] = [];

  constructor(keys: LabKeys, sessionId: string, port: number) {
    this.#keys = keys;
    this.#sessionId = sessionId;
    this.#port = port;
  }

  async open(options: ViewerOptions): Promise<Viewer> {
    const number = this.#all.length;
    const viewer = new Viewer((lastId) => this.#ask(number, lastId), options);
    this.#all.push(viewer);
    // A few hundred a second: the accept queue is no part of what is tried.
    if (number % 20 === 0) await sleep(20);
    return viewer;
  }

  close(): void {
    for (const viewer of this.#all) viewer.close();
  }

  #ask(number: number, lastId: string): Socket {
    const socket = connect({ host: '127.0.0.1', port: this.#port });
    const again = lastId === '' ? '' : `Last-Event-ID: ${lastId}\r\n`;
    socket.write(
      `GET /api/v1/results/${this.#sessionId}/stream?format=tick HTTP/1.1\r\nHost: lab\r\n` +
        `x-origin-secret: ${this.#keys.originSecret}\r\nAccept: text/event-stream\r\n` +
        `cloudfront-viewer-address: 10.8.${number >> 8}.${number & 255}:40000\r\n${again}\r\n`,
    );
    return socket;
  }
}
