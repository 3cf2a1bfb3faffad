import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/**
 * Listening sockets: one takes one connection in a turn of the event loop. With a single one a lab
 * on a busy machine, whose crowd came back to a region that was cut off, let nobody in for minutes.
 */
const acceptors = 16;

/** What is done to the bytes of one direction. */
export interface Trouble {
  /** Added to each piece on its way. Default 0. */
  readonly delayMs?: number;
  /** Pieces vanish and nobody is told: the connection is half open. */
  readonly swallow?: boolean;
  /** Chance, 0 to 1, that a piece is dropped and the connection reset with it. Default 0. */
  readonly cutChance?: number;
  /** The connection is reset once it has carried so many bytes this way. */
  readonly cutAfterBytes?: number;
  /** At most so much each second; the rest waits. */
  readonly bytesPerS?: number;
}

export interface Target {
  readonly host: string;
  readonly port: number;
}

type Direction = 'up' | 'down';

interface Link {
  readonly client: Socket;
  readonly server: Socket;
  readonly target: Target;
}

/**
 * One address that others connect to, and behind it whatever the lab says: it can be moved (new
 * connections only, as with a name that resolves anew), refuse, delay, cut, or swallow. `up` is
 * from the client to the server. With several targets a connection gets the next one that takes it,
 * as behind a network load balancer.
 */
export class Proxy {
  readonly name: string;
  readonly #servers: readonly Server[];
  readonly #links = new Set<Link>();
  /** Every socket that is open, joined to another or not yet. */
  readonly #sockets = new Set<Socket>();
  #targets: readonly Target[];
  #next = 0;
  #isRefusing = false;
  #troubles: Readonly<Record<Direction, Trouble>> = { up: {}, down: {} };
  readonly #random: () => number;
  /** Answers and requests cut since the last `heal`. */
  cuts = 0;

  private constructor(name: string, targets: readonly Target[], random: () => number) {
    this.name = name;
    this.#targets = targets;
    this.#random = random;
    this.#servers = Array.from({ length: acceptors }, () =>
      createServer({ allowHalfOpen: false }, (client) => this.#take(client)),
    );
  }

  /** Listens on the port given. */
  static async open(
    name: string,
    port: number,
    targets: readonly Target[],
    random: () => number = Math.random,
  ): Promise<Proxy> {
    const proxy = new Proxy(name, targets, random);
    for (const server of proxy.#servers) {
      server.listen({ port, host: '127.0.0.1', reusePort: true });
      await once(server, 'listening');
    }
    return proxy;
  }

  /** New connections go there; those that are open stay where they are. */
  moveTo(...targets: readonly Target[]): void {
    this.#targets = targets;
  }

  /** From now on, for open connections too; what is not named is well. */
  trouble(troubles: { up?: Trouble; down?: Trouble }): void {
    this.#troubles = { up: troubles.up ?? {}, down: troubles.down ?? {} };
  }

  /** New connections are reset at once. */
  refuse(): void {
    this.#isRefusing = true;
  }

  /** Resets every open connection. */
  resetAll(): void {
    for (const link of this.#links) reset(link);
  }

  /** Nobody gets through, in either direction, and nobody is told. */
  partition(): void {
    this.trouble({ up: { swallow: true }, down: { swallow: true } });
  }

  /** All is well again. What was swallowed stays lost, so such connections are reset. */
  heal(): void {
    const wasSwallowing = this.#isSwallowing();
    this.#isRefusing = false;
    this.#troubles = { up: {}, down: {} };
    this.cuts = 0;
    if (wasSwallowing) this.resetAll();
  }

  get connections(): number {
    return this.#links.size;
  }

  async close(): Promise<void> {
    const closed = this.#servers.map((server) => once(server.close(), 'close'));
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all(closed);
  }

  #isSwallowing(): boolean {
    return this.#troubles.up.swallow === true || this.#troubles.down.swallow === true;
  }

  #take(client: Socket): void {
    client.on('error', () => undefined);
    this.#keep(client);
    if (this.#isRefusing) return void client.resetAndDestroy();
    const candidates = this.#targets.map(
      (_, at) => this.#targets[(this.#next + at) % this.#targets.length]!,
    );
    this.#next += 1;
    this.#connect(client, candidates);
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
  }

  #connect(client: Socket, candidates: readonly Target[]): void {
    const [target, ...others] = candidates;
    if (target === undefined) return void client.resetAndDestroy();
    const server = connect({ host: target.host, port: target.port, noDelay: true });
    this.#keep(server);
    let isConnected = false;
    server.on('error', () => {
      if (!isConnected) this.#connect(client, others);
    });
    server.once('connect', () => {
      isConnected = true;
      this.#join({ client, server, target });
    });
  }

  #join(link: Link): void {
    const { client, server } = link;
    if (client.destroyed) return void server.destroy();
    client.setNoDelay(true);
    this.#links.add(link);
    this.#carry(link, client, server, 'up');
    this.#carry(link, server, client, 'down');
    const end = (): void => {
      // Swallowing hides the end of the other side as well: that is what half open means.
      if (this.#isSwallowing()) return;
      this.#links.delete(link);
      client.destroy();
      server.destroy();
    };
    client.once('close', end);
    server.once('close', end);
  }

  #carry(link: Link, from: Socket, to: Socket, direction: Direction): void {
    let carried = 0;
    let freeAtMs = 0;
    const waiting: { piece: Uint8Array; dueMs: number }[] = [];
    // One after the other, whatever the timers do: two of them may fire in either order.
    const sendDue = (): void => {
      while (waiting.length > 0 && waiting[0]!.dueMs <= performance.now() + 1) {
        send(from, to, waiting.shift()!.piece);
      }
      if (waiting.length > 0) setTimeout(sendDue, waiting[0]!.dueMs - performance.now());
    };
    from.on('data', (piece) => {
      const trouble = this.#troubles[direction];
      if (trouble.swallow === true) return;
      carried += piece.length;
      const isFull = trouble.cutAfterBytes !== undefined && carried > trouble.cutAfterBytes;
      if (isFull || (trouble.cutChance ?? 0) > this.#random()) {
        this.cuts += 1;
        return reset(link);
      }
      const nowMs = performance.now();
      const busyMs =
        trouble.bytesPerS === undefined ? 0 : (piece.length / trouble.bytesPerS) * 1000;
      const dueMs = Math.max(freeAtMs, nowMs + (trouble.delayMs ?? 0)) + busyMs;
      // Pieces keep their order, also when a delay becomes shorter.
      if (dueMs <= nowMs + 0.5 && waiting.length === 0) return send(from, to, piece);
      freeAtMs = dueMs;
      waiting.push({ piece, dueMs });
      if (waiting.length === 1) setTimeout(sendDue, dueMs - nowMs);
    });
  }
}

function send(from: Socket, to: Socket, piece: Uint8Array): void {
  if (to.destroyed) return;
  if (to.write(piece)) return;
  from.pause();
  to.once('drain', () => from.resume());
}

function reset({ client, server }: Link): void {
  client.resetAndDestroy();
  server.resetAndDestroy();
}
