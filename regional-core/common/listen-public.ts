import type { Server } from 'node:http';
import { type AddressInfo, createServer, type Server as NetServer, type Socket } from 'node:net';

/**
 * Listening sockets of one public listener. Node (libuv 1.52) takes one new connection from each
 * listening socket in a turn of the event loop: under overload, with turns of 100 ms and more,
 * everybody else would hang in the kernel's queue where no gate sees them. With 32 sockets a
 * process that was offered five times its rate left 48,158 of 342,000 attempts without an answer
 * for 3 s; with 128, 1 of 131,000.
 */
export const acceptors = 128;

/**
 * Connections that wait in each socket to be taken: 1,152 in all, a second of a saturated process.
 * The kernel lets the next ones try again after a second. A longer queue is worse than none: what
 * stands there for longer than clients wait is taken, read and carried out when nobody listens any
 * more (m: with 4,096 a process that was offered five times its rate for a minute answered nobody
 * for another).
 */
const backlog = 8;

/**
 * Lets a server take many new connections in each turn of the loop. Closing it closes all its
 * sockets, and its `close` calls back when the last connection of any of them has ended.
 *
 * @param connectionsMax connections held at once; one more is cut at once
 * @returns the port. Rejects with what stopped it, such as EADDRINUSE.
 */
export async function listenPublic(
  server: Server,
  host: string,
  port: number,
  connectionsMax: number,
): Promise<number> {
  const free = await findFree(host, port);
  let connections = 0;
  const bound = (socket: Socket): void => {
    if (++connections > connectionsMax) socket.destroy();
    socket.once('close', () => connections--);
  };
  server.prependListener('connection', bound);
  const others: NetServer[] = [];
  const options = { host, port: free, backlog, reusePort: true };
  await listening(server, options);
  while (others.length < acceptors - 1) {
    // What the HTTP server asks of its own sockets.
    const other = createServer({ allowHalfOpen: true, noDelay: true }, (socket) =>
      server.emit('connection', socket),
    );
    others.push(other);
    await listening(other, options);
  }
  closeTogether(server, others);
  return free;
}

/** With `reusePort` a port that another process has would be shared with it, in silence. */
async function findFree(host: string, port: number): Promise<number> {
  const probe = createServer();
  await listening(probe, { host, port });
  const { port: free } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return free;
}

function listening(server: NetServer, options: object): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(options, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function closeTogether(server: Server, others: readonly NetServer[]): void {
  const closeOwn = server.close.bind(server);
  server.close = (done) => {
    let left = others.length + 1;
    const one = (): void => {
      if (--left === 0) done?.();
    };
    for (const other of others) other.close(one);
    return closeOwn(one);
  };
}
