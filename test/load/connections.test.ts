import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { Connections, NetworkError, TimeoutError, viewerAddress } from './connections.ts';

type Handler = (request: IncomingMessage, response: ServerResponse) => void;
let stop: () => Promise<void> = async () => {};
afterEach(() => stop());

async function serve(
  addresses: number,
  handler: Handler,
  connectionsMax?: number,
): Promise<Connections> {
  const server = createServer(handler).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  const connections = new Connections(port, addresses, connectionsMax);
  stop = async () => {
    connections.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return connections;
}

const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`;

describe('connections', () => {
  test('come from as many viewer addresses as asked for, and are used again', async () => {
    const seen = new Set<string>();
    const connections = await serve(3, ({ socket }, response) => {
      seen.add(`${socket.remoteAddress}:${socket.remotePort}`);
      response.end('yes');
    });
    for (let viewer = 0; viewer < 12; viewer += 1) {
      expect(await connections.request(viewer, get('/'), 1_000)).toMatchObject({ body: 'yes' });
    }
    const addresses = [...seen].map((peer) => peer.split(':')[0]);
    expect(new Set(addresses)).toEqual(new Set(['127.1.0.1', '127.1.0.2', '127.1.0.3']));
  });

  test('carry many requests at once, each to its own answer', async () => {
    const connections = await serve(4, ({ url }, response) => {
      setTimeout(() => response.end(url), Math.random() * 20);
    });
    const paths = Array.from({ length: 200 }, (_, number) => `/${number}`);
    const answers = await Promise.all(
      paths.map((path, viewer) => connections.request(viewer, get(path), 2_000)),
    );
    expect(answers.map(({ body }) => body)).toEqual(paths);
  });

  test('are no more than their bound, and those at rest make room for another address', async () => {
    let open = 0;
    let openMax = 0;
    const connections = await serve(
      5,
      ({ url }, response) => {
        openMax = Math.max(openMax, (open += 1));
        response.on('close', () => (open -= 1));
        setTimeout(() => response.end(url), 5);
      },
      4,
    );
    for (let viewer = 0; viewer < 5; viewer += 1) {
      const paths = Array.from({ length: 10 }, (_, number) => `/${viewer}-${number}`);
      const answers = await Promise.all(
        paths.map((path) => connections.request(viewer, get(path), 2_000)),
      );
      expect(answers.map(({ body }) => body)).toEqual(paths);
    }
    expect(openMax).toBe(4);
  });

  test('tell a server that does not answer from one that hangs up', async () => {
    const connections = await serve(1, ({ url, socket }) => {
      if (url === '/cut') socket.destroy();
    });
    await expect(connections.request(0, get('/slow'), 50)).rejects.toThrow(TimeoutError);
    await expect(connections.request(0, get('/cut'), 1_000)).rejects.toThrow(NetworkError);
  });

  test('go on after a server that ends the connection with its answer', async () => {
    const connections = await serve(1, (_, response) => {
      response.setHeader('connection', 'close').end('bye');
    });
    for (let turn = 0; turn < 3; turn += 1) {
      expect(await connections.request(0, get('/'), 1_000)).toMatchObject({ status: 200 });
    }
  });
});

test('every viewer has an address of its own on this machine', () => {
  const addresses = Array.from({ length: 60_000 }, (_, index) => viewerAddress(index));
  expect(new Set(addresses).size).toBe(60_000);
  expect(addresses.every((address) => /^127\.1\.\d{1,3}\.\d{1,3}$/.test(address))).toBe(true);
  expect(addresses.at(-1)).toBe('127.1.239.250');
});
