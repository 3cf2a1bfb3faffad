import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { sleep } from '#common/clock.ts';
import { EventSourceParser } from '../event-source.ts';
import {
  aSession,
  json,
  originSecret,
  sessionId,
  startResults,
  type TestServer,
  totalsAt,
  until,
} from '../harness.ts';

const path = `/api/v1/results/${sessionId}/stream`;
let server: TestServer;
const sockets: Socket[] = [];

beforeEach(async () => {
  server = await startResults({ streamsMax: 8, streamsPerAddressMax: 4 });
  server.tellSession(aSession());
});

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await server.close();
});

async function metric(name: string, labels: Record<string, string> = {}): Promise<number> {
  const { values } = await server.registry.getSingleMetric(name)!.get();
  const found = values.find((value) =>
    Object.entries(labels).every(([label, text]) => value.labels[label] === text),
  );
  return found?.value ?? 0;
}

async function untilMetric(name: string, wanted: number): Promise<void> {
  const deadlineMs = performance.now() + 5000;
  while ((await metric(name)) !== wanted) {
    if (performance.now() > deadlineMs) throw new Error(`waited in vain for ${name} ${wanted}`);
    await sleep(5);
  }
}

/** A connection of a client that says exactly this, and collects what it is answered. */
function rawRequest(head: string[], count = 1): { socket: Socket; text: () => string } {
  const socket = connect(server.port, '127.0.0.1');
  sockets.push(socket);
  let text = '';
  socket.setEncoding('utf8');
  socket.on('data', (part: string) => {
    text += part;
  });
  socket.on('error', () => undefined);
  socket.write(`${head.join('\r\n')}\r\n\r\n`.repeat(count));
  return { socket, text: () => text };
}

const secretLine = `x-origin-secret: ${originSecret}`;

async function sweepSeconds(seconds: number): Promise<void> {
  for (let second = 0; second < seconds; second++) {
    server.nowMs += 1000;
    server.results.broadcaster.sweep();
    await Promise.resolve();
  }
}

test('a stream gets one heartbeat in fifteen seconds', async () => {
  const stream = await server.stream(path);
  await stream.events(1);
  await sweepSeconds(15);
  await until(() => stream.parser.comments.length === 1, 'a heartbeat');
  await sweepSeconds(30);
  await until(() => stream.parser.comments.length === 3, 'two more');
  expect(stream.parser.events).toHaveLength(1);
});

test('a stream ends at its own deadline, with a hint when to come back', async () => {
  const stream = await server.stream(path);
  await stream.events(1);
  stream.parser.retryMs = undefined;
  // Jitter is fixed to the middle here: ten minutes.
  await sweepSeconds(9 * 60);
  expect(stream.ended).toBe(false);
  await sweepSeconds(60 + 15);
  await until(() => stream.ended, 'the end');
  expect(stream.parser.retryMs).toBe(3500);
  expect(await metric('connections_active')).toBe(0);
  expect(await metric('results_streams_ended_total', { reason: 'deadline' })).toBe(1);
  // The body ended as a body does: the connection serves what comes next.
  expect((await server.get(`/api/v1/results/${sessionId}`)).status).toBe(200);
});

test('a drain ends every stream, and says when to come back', async () => {
  const streams = await Promise.all([1, 2, 3].map(() => server.stream(path)));
  await Promise.all(streams.map((stream) => stream.events(1)));
  for (const stream of streams) stream.parser.retryMs = undefined;
  await server.results.broadcaster.drain();
  await until(() => streams.every((stream) => stream.ended), 'the end of all');
  expect(streams.map((stream) => stream.parser.retryMs)).toEqual([3500, 3500, 3500]);
  expect(await metric('results_streams_ended_total', { reason: 'drain' })).toBe(3);
});

test('a viewer who leaves frees the place at once', async () => {
  const stream = await server.stream(path);
  await stream.events(1);
  expect(await metric('connections_active')).toBe(1);
  stream.close();
  await untilMetric('connections_active', 0);
  expect(await metric('results_streams_ended_total', { reason: 'client' })).toBe(1);
  // No channel is left that would be written to.
  server.tell(totalsAt(1, [1, 0, 0]));
  expect(await metric('results_deliveries_total')).toBe(0);
});

test('a full process refuses further streams, each for another while, and still shows snapshots', async () => {
  const from = (address: string) => ({ 'cloudfront-viewer-address': `${address}:4711` });
  const streams = [];
  for (const address of ['192.0.2.1', '192.0.2.2']) {
    for (let count = 0; count < 4; count++) streams.push(await server.stream(path, from(address)));
  }
  expect(streams.map((stream) => stream.status)).toEqual(Array(8).fill(200));
  const refused = await server.get(path, from('192.0.2.3'));
  expect(refused.status).toBe(503);
  expect(json(refused.text)).toMatchObject({ error: 'overloaded', retryable: true });
  expect(refused.headers['retry-after']).toBe('3');
  expect((await server.get(`/api/v1/results/${sessionId}`)).status).toBe(200);
  streams[0]!.close();
  await untilMetric('connections_active', 7);
  expect((await server.stream(path, from('192.0.2.3'))).status).toBe(200);
});

test('an address has so many streams, whatever it says of itself', async () => {
  const headers = { 'cloudfront-viewer-address': '192.0.2.1:1', 'x-forwarded-for': '203.0.113.1' };
  for (let count = 0; count < 4; count++) await server.stream(path, headers);
  const refused = await server.get(path, { ...headers, 'x-forwarded-for': '203.0.113.2' });
  expect(refused.status).toBe(429);
  expect(json(refused.text)).toMatchObject({ error: 'rate_limit_exceeded', retry_after: 3 });
  expect((await server.stream(path, { 'cloudfront-viewer-address': '192.0.2.2:1' })).status).toBe(
    200,
  );
});

test('HTTP/1.0 gets the same events as a body that ends with its connection', async () => {
  const { socket, text } = rawRequest([`GET ${path}?format=tick HTTP/1.0`, secretLine]);
  await until(() => text().includes('event: snapshot'), 'the snapshot');
  server.tell(totalsAt(2, [2, 0, 0]));
  await until(() => text().includes('"t":2'), 'the tick');
  const [head, body] = text().split(/\r\n\r\n(.*)/s) as [string, string];
  expect(head).not.toMatch(/transfer-encoding/i);
  const parser = new EventSourceParser();
  parser.push(body);
  expect(parser.events.map(({ event }) => event)).toEqual(['snapshot', 'message']);
  const closed = new Promise((resolve) => socket.once('close', resolve));
  await server.results.broadcaster.drain();
  await closed;
});

/** Attack: one connection asks for a thousand streams at once. */
test('a stream asked for behind another answer of the same connection is refused', async () => {
  const head = [`GET ${path} HTTP/1.1`, 'host: x', secretLine];
  const { text } = rawRequest(head, 3);
  await until(() => text().includes('event: snapshot'), 'the first stream');
  expect(await metric('connections_active')).toBe(1);
  await server.results.broadcaster.drain();
  expect(await metric('connections_active')).toBe(0);
});

test('a message for many options in many sessions reaches the streams of its own only', async () => {
  const other = '22222222-2222-4222-8222-222222222222';
  server.tellSession(aSession({ session_id: other }));
  const mine = await server.stream(`${path}?format=tick`);
  const theirs = await server.stream(`/api/v1/results/${other}/stream?format=tick`);
  await Promise.all([mine.events(1), theirs.events(1)]);
  server.tell(totalsAt(1, [1, 0, 0]));
  server.tell(totalsAt(2, [0, 2, 0], { session_id: other }));
  // Two changes of one moment are one tick: the latest.
  server.tell(totalsAt(3, [3, 0, 0]));
  const [, event] = await mine.events(2);
  expect(json(event!.data)).toEqual({ t: 3, c: [[0, 3]] });
  const [, otherEvent] = await theirs.events(2);
  expect(json(otherEvent!.data)).toEqual({ t: 2, c: [[1, 2]] });
});

test('a reader who takes nothing costs a bounded queue, is dropped to the latest, and others live', async () => {
  server.tellSession(aSession({ version: 2, options: manyOptions() }));
  const slow = rawRequest([`GET ${path} HTTP/1.1`, 'host: x', secretLine]);
  slow.socket.pause();
  const live = await server.stream(`${path}?format=tick`);
  await live.events(1);
  let offset = 0;
  // Each tick is 100 events of about 200 bytes: what the kernel takes in is soon full.
  while ((await metric('results_dropped_total')) < 50) {
    offset += 1;
    server.tell(totalsAt(offset, Array<number>(100).fill(offset)));
    await live.events(offset + 1);
    expect(offset).toBeLessThan(2000);
  }
  const queued = [...server.sockets].map((socket) => socket.writableLength);
  expect(Math.max(...queued)).toBeLessThan(64 * 1024 + 32 * 1024);

  slow.socket.resume();
  await until(() => slow.text().includes(`id: ${2 ** 40 + offset}\n`), 'the latest totals');
  const parser = new EventSourceParser();
  parser.push(bodyOf(slow.text()));
  const last = parser.events.at(-1)!;
  expect(last.event).toBe('snapshot');
  expect(json(last.data)).toMatchObject({ total_votes: offset * 100 });
  // Behind no more: the next tick comes as a tick.
  offset += 1;
  server.tell(totalsAt(offset, Array<number>(100).fill(offset)));
  await until(() => slow.text().includes(`"total_votes":${offset * 100},"timestamp"`), 'a tick');

  expect(await metric('results_streams_ended_total', { reason: 'stuck' })).toBe(0);
});

test('a reader who takes nothing for half a minute is cut off', async () => {
  server.tellSession(aSession({ version: 2, options: manyOptions() }));
  const slow = rawRequest([`GET ${path} HTTP/1.1`, 'host: x', secretLine]);
  slow.socket.pause();
  await untilMetric('connections_active', 1);
  let offset = 0;
  while ((await metric('results_dropped_total')) === 0) {
    offset += 1;
    server.tell(totalsAt(offset, Array<number>(100).fill(offset)));
    await new Promise((resolve) => setImmediate(resolve));
    expect(offset).toBeLessThan(2000);
  }
  await sweepSeconds(29);
  expect(await metric('connections_active')).toBe(1);
  await sweepSeconds(2);
  expect(await metric('connections_active')).toBe(0);
  expect(await metric('results_streams_ended_total', { reason: 'stuck' })).toBe(1);
});

/** What chunks hold, from an answer as it came. */
function bodyOf(answer: string): string {
  let rest = answer.slice(answer.indexOf('\r\n\r\n') + 4);
  let body = '';
  for (;;) {
    const end = rest.indexOf('\r\n');
    const size = Number.parseInt(rest.slice(0, end), 16);
    // Everything sent here is ASCII, so that bytes are characters.
    if (end < 0 || rest.length < end + 2 + size) return body;
    body += rest.slice(end + 2, end + 2 + size);
    rest = rest.slice(end + 2 + size + 2);
  }
}

test('a stream that ended is cut off when its reader does not take the end', async () => {
  server.tellSession(aSession({ version: 2, options: manyOptions() }));
  const slow = rawRequest([`GET ${path} HTTP/1.1`, 'host: x', secretLine]);
  slow.socket.pause();
  await untilMetric('connections_active', 1);
  for (let offset = 1; (await metric('results_dropped_total')) === 0; offset++) {
    server.tell(totalsAt(offset, Array<number>(100).fill(offset)));
    await new Promise((resolve) => setImmediate(resolve));
    expect(offset).toBeLessThan(2000);
  }
  await server.results.broadcaster.drain();
  expect(await metric('connections_active')).toBe(0);
  expect(server.sockets.size).toBe(1);
  await sweepSeconds(31);
  await until(() => server.sockets.size === 0, 'the connection to be closed');
});

function manyOptions(): { option_id: string; label: string }[] {
  return Array.from({ length: 100 }, (_, index) => ({
    option_id: `o${index}`,
    label: 'x'.repeat(200),
  }));
}
