import { connect, type Socket } from 'node:net';
import { type Answer, readAnswer } from './response.ts';

/** The connection broke or the answer was no HTTP: what became of the request is not known. */
export class NetworkError extends Error {}
/** No answer in time: likewise. */
export class TimeoutError extends Error {}

interface Waiting {
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: Error) => void;
}

/**
 * HTTP/1.1 over kept-alive connections from many viewer addresses (127.1.x.y), one request at a
 * time each: to the edge every address is a viewer of its own, as its rate rules see them in the
 * world.
 *
 * Requests are whole texts made by the caller. This costs a third of node:http's client (m: 19 µs
 * against 58 a request), and the crowd shares two cores with the stack that it measures.
 */
export class Connections {
  readonly #port: number;
  readonly #connectionsMax: number;
  readonly #idle: Connection[][];
  /** Idle connections of all addresses, the one that has been idle for longest first. */
  readonly #resting = new Set<Connection>();
  readonly #all = new Set<Connection>();
  readonly #queue: ((connection: Connection) => void)[] = [];

  /**
   * @param addresses how many viewer addresses to spread the connections over, up to 60,000
   * @param connectionsMax requests beyond this many at once wait; their wait counts, as it is from
   * the intended start
   */
  constructor(port: number, addresses: number, connectionsMax = 4_000) {
    this.#port = port;
    this.#connectionsMax = connectionsMax;
    this.#idle = Array.from({ length: Math.min(Math.max(addresses, 1), addressesMax) }, () => []);
  }

  /**
   * Sends a request from the viewer's address and waits for its answer.
   *
   * @throws TimeoutError after `timeoutMs`, NetworkError when the connection breaks
   */
  async request(viewer: number, text: string, timeoutMs: number): Promise<Answer> {
    const connection = await this.#take(viewer % this.#idle.length);
    try {
      return await connection.exchange(text, timeoutMs);
    } finally {
      this.#giveBack(connection);
    }
  }

  close(): void {
    for (const connection of this.#all) connection.end();
    this.#all.clear();
  }

  #take(address: number): Connection | Promise<Connection> {
    const idle = this.#idle[address]!;
    for (let held = idle.pop(); held !== undefined; held = idle.pop()) {
      this.#resting.delete(held);
      if (held.isFresh()) return held;
      this.#end(held);
    }
    if (this.#all.size >= this.#connectionsMax) this.#endOneAtRest();
    if (this.#all.size < this.#connectionsMax) {
      const made = new Connection(this.#port, address);
      this.#all.add(made);
      return made;
    }
    return new Promise((resolve) => this.#queue.push(resolve));
  }

  /** Makes room: a connection of an address that asks for nothing now is in the way of others. */
  #endOneAtRest(): void {
    const [longest] = this.#resting;
    if (longest === undefined) return;
    this.#resting.delete(longest);
    const idle = this.#idle[longest.address]!;
    idle.splice(idle.indexOf(longest), 1);
    this.#end(longest);
  }

  #end(connection: Connection): void {
    connection.end();
    this.#all.delete(connection);
  }

  #giveBack(connection: Connection): void {
    if (!connection.isUsable) {
      this.#all.delete(connection);
      const next = this.#queue.shift();
      if (next === undefined) return;
      const made = new Connection(this.#port, connection.address);
      this.#all.add(made);
      next(made);
      return;
    }
    const next = this.#queue.shift();
    if (next !== undefined) return next(connection);
    this.#idle[connection.address]!.push(connection);
    this.#resting.add(connection);
  }
}

const addressesMax = 60_000;
/**
 * Shorter than any server's keep-alive, so that a request never meets a connection being closed.
 */
const idleMsMax = 3_000;

class Connection {
  readonly address: number;
  readonly #socket: Socket;
  #waiting: Waiting | undefined;
  #received: Buffer | undefined;
  #isUsable = true;
  #idleSinceMs = 0;

  constructor(port: number, address: number) {
    this.address = address;
    this.#socket = connect({ host: '127.0.0.1', port, localAddress: viewerAddress(address) });
    this.#socket.setNoDelay(true);
    this.#socket.on('data', (bytes) => this.#take(bytes));
    this.#socket.on('error', (error) => this.#fail(new NetworkError(error.message)));
    this.#socket.on('close', () => this.#fail(new NetworkError('the connection was closed')));
  }

  get isUsable(): boolean {
    return this.#isUsable;
  }

  isFresh(): boolean {
    return this.#isUsable && performance.now() - this.#idleSinceMs < idleMsMax;
  }

  exchange(text: string, timeoutMs: number): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#fail(new TimeoutError('no answer in time')), timeoutMs);
      const settle = (): void => {
        clearTimeout(timer);
        this.#waiting = undefined;
        this.#idleSinceMs = performance.now();
      };
      this.#waiting = {
        resolve: (answer) => {
          settle();
          resolve(answer);
        },
        reject: (error) => {
          settle();
          reject(error);
        },
      };
      if (this.#isUsable) this.#socket.write(text);
      else this.#waiting.reject(new NetworkError('the connection was closed'));
    });
  }

  end(): void {
    this.#isUsable = false;
    this.#socket.destroy();
  }

  #take(bytes: Buffer): void {
    const received = this.#received === undefined ? bytes : Buffer.concat([this.#received, bytes]);
    try {
      const answer = readAnswer(received);
      this.#received = answer === undefined ? received : undefined;
      if (answer === undefined) return;
      if (!answer.keepsAlive) this.end();
      this.#waiting?.resolve(answer);
    } catch (error) {
      this.#fail(new NetworkError(error instanceof Error ? error.message : String(error)));
    }
  }

  #fail(error: Error): void {
    this.end();
    this.#waiting?.reject(error);
  }
}

/** 127.1.0.1 upwards: all of 127.0.0.0/8 is this machine. */
export function viewerAddress(index: number): string {
  return `127.1.${Math.floor(index / 250)}.${(index % 250) + 1}`;
}
