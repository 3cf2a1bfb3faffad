import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { sleep, systemClock } from '#common/clock.ts';
import { watchClock } from '#common/clock-check.ts';
import { httpPeer } from '#common/clock-peer.ts';
import { createLog } from '#common/log.ts';
import { createRegistry } from '#common/metrics.ts';

const log = createLog({ service: 'test' }, 'error', { write: () => {} });
const open: Server[] = [];
afterEach(async () => {
  for (const server of open.splice(0)) {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  }
});

/** A process whose clock is off by so much, asked by its header or by `Date` alone. */
async function peer(offMs: number, header: 'x-time-ms' | 'date'): Promise<string> {
  const server = createServer((_request, response) => {
    const now = Date.now() + offMs;
    response.sendDate = false;
    response.setHeader(header, header === 'date' ? new Date(now).toUTCString() : String(now));
    response.end('alive\n');
  }).listen(0, '127.0.0.1');
  open.push(server);
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/healthz`;
}

function watch(urls: readonly string[], clockBoundFile?: string) {
  const metrics = createRegistry({});
  const peers = urls.map(httpPeer);
  const options = { clock: systemClock, clockErrorMs: 5, clockBoundFile, peers, log, metrics };
  return { metrics, ...watchClock(options) };
}

test('peers that agree leave no doubt, and the declared bound is shown as such', async () => {
  const check = watch([await peer(0, 'x-time-ms'), await peer(0, 'date')]);
  await sleep(1200);
  expect(check.notReady()).toEqual([]);
  expect(check.errorMs()).toBe(5);
  const text = await check.metrics.metrics();
  expect(text).toContain('clock_error_bound_seconds{source="declared"} 0.005');
  expect(text).toMatch(/^clock_doubts 0$/m);
  await check.close();
});

test('two peers of another time make the clock doubtful, by header and by Date', async () => {
  const check = watch([await peer(300_000, 'x-time-ms'), await peer(300_000, 'date')]);
  await sleep(1200);
  expect(check.notReady()).toEqual([
    expect.stringMatching(/^2 of 2 peers say that the clock is off by -(299|300)\d{3} ms$/),
  ]);
  await check.close();
});

test('peers that cannot be reached say nothing; a file that is not there says that', async () => {
  const check = watch(['http://127.0.0.1:9/healthz', 'http://127.0.0.1:9/readyz']);
  await sleep(1200);
  expect(check.notReady()).toEqual([]);
  await check.close();
  const measured = watch([], '/nowhere/shm0');
  expect(measured.notReady()).toEqual([expect.stringContaining('the error of the clock is not')]);
  expect(measured.errorMs(), 'the most that is allowed').toBe(50);
  await measured.close();
});
