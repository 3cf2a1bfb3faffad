import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { OriginError, OriginPool } from '../../../local/edge/origin-pool.ts';
import { Origin } from './edge-under-test.ts';

const settings = {
  Service: 'intake',
  ConnectionAttempts: 1,
  ConnectionTimeout: 1,
  OriginReadTimeout: 1,
  OriginKeepaliveTimeout: 1,
} as const;
const request = { method: 'GET', target: '/', body: undefined };

const opened: { destroy?: () => void; kill?: () => void }[] = [];
afterEach(() => {
  for (const one of opened.splice(0)) (one.destroy ?? one.kill)?.call(one);
});

async function originAndPool(changes: object = {}): Promise<[Origin, OriginPool]> {
  const origin = new Origin();
  const pool = new OriginPool('test', await origin.open(), { ...settings, ...changes });
  opened.push(pool, origin);
  return [origin, pool];
}

function send(pool: OriginPool): Promise<unknown> {
  return pool.send({ ...request, headers: ['host', pool.host] });
}

async function faultOf(sent: Promise<unknown>): Promise<[string, number]> {
  const error: unknown = await sent.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(OriginError);
  return [(error as OriginError).fault, (error as OriginError).status];
}

describe('the connections to an origin', () => {
  it('give up on silence, also when idle time and read time are the same', async () => {
    const [origin, pool] = await originAndPool();
    origin.answer = () => {};
    const startMs = performance.now();
    expect(await faultOf(send(pool))).toEqual(['timeout', 504]);
    expect(performance.now() - startMs).toBeLessThan(3000);
    origin.answer = (_asked, _request, response) => void response.write('half');
    const answer = await pool.send({ ...request, headers: ['host', pool.host] });
    answer.resume();
    const [error] = (await once(answer, 'error')) as [Error];
    expect(error).toBeInstanceOf(Error);
  });

  it('are used again, and not kept longer than they are idle for', async () => {
    const [origin, pool] = await originAndPool();
    const ports: (number | undefined)[] = [];
    origin.answer = (_asked, incoming, response) => {
      ports.push(incoming.socket.remotePort);
      response.end();
    };
    for (const waitMs of [0, 50, 1300]) {
      await new Promise((resolve) => setTimeout(resolve, waitMs));
      const answer = await pool.send({ ...request, headers: ['host', pool.host] });
      await once(answer.resume(), 'end');
    }
    expect(ports[1]).toBe(ports[0]);
    expect(ports[2]).not.toBe(ports[0]);
  });

  it('are 2,048 at most: one more is refused at once, and let in when they have ended', async () => {
    const [origin, pool] = await originAndPool({ ConnectionTimeout: 10, OriginReadTimeout: 30 });
    const waiting: { end: () => void }[] = [];
    origin.answer = (_asked, _request, response) => void waiting.push(response);
    const sent = Array.from({ length: 2048 }, () => send(pool));
    expect(await faultOf(send(pool))).toEqual(['full', 503]);
    while (waiting.length < 2048) await new Promise((resolve) => setTimeout(resolve, 10));
    for (const response of waiting.splice(0)) response.end();
    const answers = (await Promise.all(sent)) as NodeJS.ReadableStream[];
    await Promise.all(answers.map((answer) => once(answer.resume(), 'end')));
    await new Promise(setImmediate);
    const next = send(pool);
    while (waiting.length < 1) await new Promise((resolve) => setTimeout(resolve, 10));
    waiting[0]!.end();
    await next;
  }, 30_000);

  it('are given nothing more while 64 requests have waited for a second', async () => {
    const [origin, pool] = await originAndPool({ ConnectionTimeout: 10, OriginReadTimeout: 30 });
    const waiting: { end: () => void }[] = [];
    origin.answer = (_asked, _request, response) => void waiting.push(response);
    const sent = Array.from({ length: 63 }, () => send(pool));
    await new Promise((resolve) => setTimeout(resolve, 1100));
    // A few slow ones shut nobody out.
    sent.push(send(pool));
    expect(await faultOf(send(pool))).toEqual(['full', 503]);
    while (waiting.length < 64) await new Promise((resolve) => setTimeout(resolve, 10));
    waiting[0]!.end();
    await sent[0];
    const next = send(pool);
    while (waiting.length < 65) await new Promise((resolve) => setTimeout(resolve, 10));
    for (const response of waiting) response.end();
    await Promise.all([...sent, next]);
  });

  it('tell an origin that is not there from one that does not accept', async () => {
    const gone = new Origin();
    const url = await gone.open();
    gone.kill();
    expect(await faultOf(send(new OriginPool('gone', url, settings)))).toEqual([
      'unreachable',
      502,
    ]);

    // A stopped process with a full backlog: the kernel drops what comes, as a dead host would.
    const script = `const s = require('net').createServer();
      s.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => console.log(s.address().port));`;
    const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    opened.push({ kill: () => child.kill('SIGKILL') });
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    child.kill('SIGSTOP');
    const port = Number(line.toString());
    const fillers: Socket[] = Array.from({ length: 4 }, () => connect(port, '127.0.0.1'));
    for (const filler of fillers) opened.push(filler.on('error', () => {}));
    await new Promise((resolve) => setTimeout(resolve, 100));
    const silent = { ...settings, OriginReadTimeout: 20 };
    const pool = new OriginPool('silent', new URL(`http://127.0.0.1:${port}`), silent);
    const startMs = performance.now();
    expect(await faultOf(send(pool))).toEqual(['timeout', 504]);
    expect(performance.now() - startMs).toBeLessThan(4000);
  });
});
