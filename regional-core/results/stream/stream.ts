import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Chunk } from './sse.ts';

export type StreamPlan = Pick<Stream, 'endsAtMs' | 'slotNo' | 'sequence'>;

/**
 * One open stream: a response whose headers are out and whose body is written as pre-framed chunks
 * straight to the socket. That is twice as cheap as `response.write`, which frames and copies for
 * each stream what is the same for all.
 *
 * A stream is live or behind. More than `queuedBytesMax` waiting in the process makes it behind: it
 * is offered nothing until the socket has taken everything, and then needs the latest snapshot.
 */
export class Stream {
  /** Monotonic ms at which the stream ends, so that load moves on to new processes. */
  readonly endsAtMs: number;
  /** Which second of each heartbeat's period is its own. */
  readonly slotNo: number;
  /** Sequence of the last totals written. */
  sequence: number;
  readonly #response: ServerResponse;
  readonly #socket: Socket;
  readonly #isFramed: boolean;
  #behindSinceMs: number | undefined;
  #onDrained: (() => void) | undefined;

  /** Sends the headers. The response must be the one its connection is answering. */
  constructor(response: ServerResponse, socket: Socket, plan: StreamPlan) {
    response.flushHeaders();
    this.#response = response;
    this.#socket = socket;
    // Node frames for whoever speaks HTTP/1.1; a body to HTTP/1.0 ends with its connection.
    this.#isFramed = response.chunkedEncoding;
    this.endsAtMs = plan.endsAtMs;
    this.slotNo = plan.slotNo;
    this.sequence = plan.sequence;
  }

  /** Monotonic ms since when nothing was offered to this stream; undefined while it is live. */
  get behindSinceMs(): number | undefined {
    return this.#behindSinceMs;
  }

  /** True when too much waits for a slow reader. */
  get isClogged(): boolean {
    return this.#socket.writableLength > queuedBytesMax;
  }

  write(chunk: Chunk): void {
    this.#socket.write(this.#isFramed ? chunk.framed : chunk.raw);
  }

  /** Makes the stream behind; `onDrained` is called when the reader has taken all that waited. */
  fallBehind(nowMs: number, onDrained: () => void): void {
    this.#behindSinceMs = nowMs;
    this.#onDrained = () => {
      this.#behindSinceMs = undefined;
      this.#onDrained = undefined;
      onDrained();
    };
    this.#socket.once('drain', this.#onDrained);
  }

  /** Ends the body; the connection stays for further requests unless it is closed with it. */
  end(how: { closing: boolean }): void {
    const socket = this.#socket;
    if (how.closing) this.#response.end(() => socket.end());
    else this.#response.end();
  }

  /** Cuts the connection: for a reader that takes nothing. */
  destroy(): void {
    this.#socket.destroy();
  }

  /** The connection may serve further requests: nothing of this stream stays on it. */
  detach(): void {
    if (this.#onDrained !== undefined) this.#socket.off('drain', this.#onDrained);
    this.#onDrained = undefined;
  }
}

/**
 * What may wait in the process for one slow reader: 16 snapshots of 10 options, or a minute of
 * ticks. What the kernel holds comes on top and is not seen from here.
 */
const queuedBytesMax = 64 * 1024;
