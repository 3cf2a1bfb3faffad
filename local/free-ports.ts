import { createServer, type Server } from 'node:net';

/**
 * Ports chosen for processes that have not started yet. Each is listened on until its process is
 * about to start, so that a second stack on this machine, starting at the same time, does not
 * choose it too.
 */
export class HeldPorts {
  readonly #holders = new Map<number, Server>();

  /** Takes a port; false when somebody listens there. `localhost` may mean either address. */
  async hold(port: number): Promise<boolean> {
    const six = await listenOn(port, '::1');
    if (six === 'taken') return false;
    await close(six);
    const four = await listenOn(port, '127.0.0.1');
    if (four === 'taken' || four === 'no such address') return false;
    this.#holders.set(port, four);
    return true;
  }

  /** Frees these ports for the process they were chosen for. */
  async release(ports: Iterable<number>): Promise<void> {
    await Promise.all(
      [...ports].map(async (port) => {
        const holder = this.#holders.get(port);
        this.#holders.delete(port);
        await close(holder);
      }),
    );
  }

  async releaseAll(): Promise<void> {
    await this.release([...this.#holders.keys()]);
  }
}

type Listening = Server | 'taken' | 'no such address';

async function listenOn(port: number, host: string): Promise<Listening> {
  return new Promise((resolve) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', (error: NodeJS.ErrnoException) => {
      const isAway = error.code === 'EADDRNOTAVAIL' || error.code === 'EAFNOSUPPORT';
      resolve(isAway ? 'no such address' : 'taken');
    });
    server.listen({ port, host, exclusive: true }, () => resolve(server));
  });
}

async function close(holder: Listening | undefined): Promise<void> {
  if (typeof holder !== 'object') return;
  await new Promise<void>((resolve) => {
    holder.close(() => resolve());
  });
}

/** Ports that the kernel says are free now, all different: for tests, not kept. */
export async function anyFreePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(Array.from({ length: count }, () => listenOn(0, '127.0.0.1')));
  const ports = servers.map((server) => {
    const address = typeof server === 'object' ? server.address() : undefined;
    return typeof address === 'object' && address !== null ? address.port : 0;
  });
  await Promise.all(servers.map(close));
  return ports;
}
