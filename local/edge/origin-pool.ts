import { Agent, type ClientRequest, type IncomingMessage, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { ServiceOrigin } from '../../edge-config/read.ts';

/** Why an origin gave no answer, with the status that CloudFront gives for it. */
const faults = {
  unreachable: 502,
  broken: 502,
  timeout: 504,
  full: 503,
  too_large: 502,
} as const;

/**
 * After `unreachable` and `full` the origin has not seen the request; after any other fault it may
 * have carried it out. `cause` is the socket's error, where there was one.
 */
export class OriginError extends Error {
  readonly fault: keyof typeof faults;
  readonly status: (typeof faults)[keyof typeof faults];
  constructor(fault: keyof typeof faults, cause?: unknown) {
    super(`origin ${fault}`, { cause });
    this.name = 'OriginError';
    this.fault = fault;
    this.status = faults[fault];
  }
}

export interface OriginRequest {
  readonly method: string;
  /** Path and query, as sent. */
  readonly target: string;
  /** Flat name, value, … without content-length. */
  readonly headers: string[];
  readonly body: Buffer | undefined;
}

/**
 * Requests under way at one origin; beyond it the answer is 503 at once, so nothing ever queues
 * here. An origin that may be silent for a minute carries streams: those are many, and idle.
 */
const requestsMax = 2048;
const streamsMax = 9000;
const silentS = 30;
/**
 * An origin that has left a request without a word for this long, with many more behind it, is
 * given no new ones: they would wait longer than those who sent them. A few may be slow by nature.
 */
const waitMsMax = 1000;
const waitingMin = 64;

/** Connections to one origin of one region: kept alive, bounded, never retried. */
export class OriginPool {
  readonly name: string;
  /** Called when an answer's headers or a fault are there: seconds since sending, fault or none. */
  onOutcome: (pool: OriginPool, fault: OriginError | undefined) => void = () => {};
  readonly #url: URL;
  readonly #agent: Agent;
  readonly #readMs: number;
  readonly #inFlightMax: number;
  #inFlight = 0;
  /** Requests without an answer yet, the oldest first → when they were sent. */
  readonly #waiting = new Map<ClientRequest, number>();

  constructor(name: string, url: URL, settings: ServiceOrigin) {
    this.name = name;
    this.#url = url;
    this.#readMs = settings.OriginReadTimeout * 1000;
    this.#inFlightMax = settings.OriginReadTimeout > silentS ? streamsMax : requestsMax;
    this.#agent = new OriginAgent(settings);
  }

  get host(): string {
    return this.#url.host;
  }

  /**
   * Sends one request, once. Resolves when the status and headers are there; the caller must read
   * or destroy the response. Rejects with an OriginError.
   */
  send(sent: OriginRequest): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const fail = (error: OriginError): void => {
        this.onOutcome(this, error);
        reject(error);
      };
      if (this.#isFull()) return fail(new OriginError('full'));
      this.#inFlight++;
      const upstream = this.#open(sent);
      this.#waiting.set(upstream, performance.now());
      upstream.on('response', (response) => {
        this.#waiting.delete(upstream);
        this.onOutcome(this, undefined);
        resolve(response);
      });
      upstream.on('timeout', () => upstream.destroy(new OriginError('timeout')));
      upstream.on('error', (error) => fail(toOriginError(error)));
      upstream.on('close', () => {
        this.#waiting.delete(upstream);
        this.#inFlight--;
      });
      upstream.end(sent.body);
    });
  }

  #isFull(): boolean {
    if (this.#inFlight >= this.#inFlightMax) return true;
    if (this.#waiting.size < waitingMin) return false;
    const [sentMs] = this.#waiting.values();
    return performance.now() - sentMs! > waitMsMax;
  }

  #open(sent: OriginRequest): ClientRequest {
    if (sent.body !== undefined) sent.headers.push('content-length', String(sent.body.length));
    return request({
      agent: this.#agent,
      host: this.#url.hostname,
      port: this.#url.port,
      method: sent.method,
      path: sent.target,
      headers: sent.headers,
      // Covers the first byte and each silence after it, as CloudFront's response timeout does.
      timeout: this.#readMs,
    });
  }

  /** Ends the connections, those in use too. */
  destroy(): void {
    this.#agent.destroy();
  }
}

function toOriginError(error: Error): OriginError {
  if (error instanceof OriginError) return error;
  const code = (error as NodeJS.ErrnoException).code;
  return new OriginError(code === 'ECONNREFUSED' ? 'unreachable' : 'broken', error);
}

class OriginAgent extends Agent {
  readonly #connectMs: number;
  readonly #idleMs: number;

  constructor(settings: ServiceOrigin) {
    const idleMs = settings.OriginKeepaliveTimeout * 1000;
    // `timeout` ends a connection that nobody used for so long, well before the origin would: a
    // request must not meet a closing connection, because a POST is not sent twice.
    super({ keepAlive: true, timeout: idleMs, scheduling: 'lifo' });
    this.#idleMs = idleMs;
    this.#connectMs = settings.ConnectionTimeout * 1000;
  }

  override createConnection(
    options: { host?: string; port?: string | number },
    _done: (error: Error | null, stream: Duplex) => void,
  ): Socket {
    const port = Number(options.port);
    const socket = connect({ host: options.host ?? '127.0.0.1', port, noDelay: true });
    // The agent sets a request's own timeout only where it differs from this one.
    socket.setTimeout(this.#idleMs);
    const late = setTimeout(() => socket.destroy(new OriginError('timeout')), this.#connectMs);
    const settled = (): void => clearTimeout(late);
    socket.once('connect', settled);
    socket.once('close', settled);
    return socket;
  }
}
