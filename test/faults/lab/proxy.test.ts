import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { sleep } from '#common/clock.ts';
import { anyFreePorts } from '../../../local/free-ports.ts';
import { Proxy } from './proxy.ts';

const ends: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

/** A server that answers every piece with its own name and that piece. */
async function echo(name: string): Promise<{ port: number; seen: string[] }> {
  const seen: string[] = [];
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => {
      seen.push(bytes.toString());
      socket.write(`${name}:${bytes.toString()}`);
    });
  });
  const [port = 0] = await anyFreePorts(1);
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  ends.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { port, seen };
}

async function through(ports: readonly number[]): Promise<{ proxy: Proxy; port: number }> {
  const [port = 0] = await anyFreePorts(1);
  const targets = ports.map((one) => ({ host: '127.0.0.1', port: one }));
  const proxy = await Proxy.open('test', port, targets);
  ends.push(() => proxy.close());
  return { proxy, port };
}

interface Caller {
  readonly said: string[];
  readonly isClosed: () => boolean;
  readonly say: (text: string) => void;
}

function call(port: number): Caller {
  const socket = connect({ port, host: '127.0.0.1' });
  const said: string[] = [];
  let closed = false;
  socket.on('data', (bytes) => said.push(bytes.toString()));
  socket.on('error', () => undefined);
  socket.on('close', () => (closed = true));
  ends.push(() => void socket.destroy());
  return { said, isClosed: () => closed, say: (text) => void socket.write(text) };
}

async function until(isTrue: () => boolean): Promise<void> {
  const untilMs = performance.now() + 2000;
  while (!isTrue() && performance.now() < untilMs) await sleep(5);
}

test('bytes pass both ways, and a dead target is passed over', async () => {
  const [dead = 0] = await anyFreePorts(1);
  const { port: alive } = await echo('a');
  const { port } = await through([dead, alive]);
  const caller = call(port);
  caller.say('hello');
  await until(() => caller.said.length > 0);
  expect(caller.said).toEqual(['a:hello']);
});

test('a moved address is for new connections; old ones stay where they are', async () => {
  const [one, two] = [await echo('one'), await echo('two')];
  const { proxy, port } = await through([one.port]);
  const before = call(port);
  before.say('1');
  await until(() => before.said.length > 0);
  proxy.moveTo({ host: '127.0.0.1', port: two.port });
  const after = call(port);
  before.say('2');
  after.say('3');
  await until(() => before.said.length > 1 && after.said.length > 0);
  expect(before.said.at(-1)).toBe('one:2');
  expect(after.said).toEqual(['two:3']);
});

test('a swallowed answer was received by the server, and healing resets the connection', async () => {
  const { port: alive, seen } = await echo('a');
  const { proxy, port } = await through([alive]);
  proxy.trouble({ down: { swallow: true } });
  const caller = call(port);
  caller.say('question');
  await until(() => seen.length > 0);
  await sleep(30);
  expect([seen, caller.said, caller.isClosed()]).toEqual([['question'], [], false]);
  proxy.heal();
  await until(caller.isClosed);
  expect(caller.isClosed()).toBe(true);
});

test('a cut resets the connection in place of the bytes, and is counted', async () => {
  const { port: alive } = await echo('a');
  const { proxy, port } = await through([alive]);
  proxy.trouble({ down: { cutChance: 1 } });
  const caller = call(port);
  caller.say('question');
  await until(caller.isClosed);
  expect([caller.said, caller.isClosed(), proxy.cuts]).toEqual([[], true, 1]);
});

test('delays keep the order, also when they become shorter', async () => {
  const { port: alive } = await echo('a');
  const { proxy, port } = await through([alive]);
  const caller = call(port);
  proxy.trouble({ up: { delayMs: 80 } });
  caller.say('1');
  await sleep(30);
  proxy.trouble({});
  caller.say('2');
  await until(() => caller.said.join('').includes('2'));
  expect(caller.said.join('').replaceAll('a:', '')).toBe('12');
});

test('refused connections are reset at once', async () => {
  const { port: alive, seen } = await echo('a');
  const { proxy, port } = await through([alive]);
  proxy.refuse();
  const caller = call(port);
  await until(caller.isClosed);
  expect([caller.isClosed(), seen]).toEqual([true, []]);
});
