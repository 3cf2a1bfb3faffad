import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { sleep } from '#common/clock.ts';
import { createSigningKey } from '../../support/votes.ts';

/** A process as it is deployed, with stores that are not there: what every service does alike. */
const folder = mkdtempSync(join(tmpdir(), 'vote-service-'));
const file = (name: string, content: string): string => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

async function environment(): Promise<Record<string, string>> {
  const jwk = createSigningKey().privateKey.export({ format: 'jwk' });
  return {
    VOTE_PORT: String(await freePort()),
    VOTE_INTERNAL_PORT: String(await freePort()),
    VOTE_REGION: 'us-east-1',
    VOTE_KAFKA_BROKERS: '127.0.0.1:9',
    VOTE_REDIS_URL: 'redis://user:geheim@127.0.0.1:9/0',
    VOTE_ORIGIN_SECRET_FILE: file('origin', 'a-secret-of-some-length'),
    VOTE_RECEIPT_KEY_FILE: file('receipt', JSON.stringify(jwk)),
    VOTE_CONFIRMATION_KEY_FILE: file('code', randomBytes(32).toString('base64url')),
    VOTE_DURABILITY: 'single',
    VOTE_KAFKA_REPLICATION: '1',
    VOTE_CLOCK_ERROR_MS: '5',
  };
}

function run(env: Record<string, string>, ...args: string[]): ChildProcess {
  return spawn(process.execPath, ['regional-core/intake/main.ts', ...args], {
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

async function end(child: ChildProcess): Promise<{ code: number; text: string }> {
  let text = '';
  child.stdout!.on('data', (chunk: Buffer) => (text += chunk.toString()));
  child.stderr!.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number];
  return { code, text };
}

test('does not start with a key it does not know or without one it needs, and names both', async () => {
  const { VOTE_REGION: _, ...env } = await environment();
  const { code, text } = await end(run({ ...env, VOTE_REGOIN: 'us-east-1' }));
  expect(code).toBe(2);
  expect(text).toContain('VOTE_REGION is missing');
  expect(text).toContain('VOTE_REGOIN is not a key of this service');
});

test('does not start when its receipts would say more than one copy is', async () => {
  const { code, text } = await end(run({ ...(await environment()), VOTE_DURABILITY: 'region' }));
  expect(code).toBe(1);
  expect(text).toContain('VOTE_DURABILITY=region contradicts VOTE_KAFKA_REPLICATION=1');
});

test('--print-config shows what is in force, and no secret', async () => {
  const { code, text } = await end(run(await environment(), '--print-config'));
  expect(code).toBe(0);
  expect(text).toContain('VOTE_REGION=us-east-1');
  expect(text).toContain('VOTE_LOG_LEVEL=info  # default');
  expect(text).not.toMatch(/geheim|a-secret-of-some-length/);
});

test('is alive before it is ready, says why it is not, measures itself, and ends on SIGTERM', async () => {
  const env = await environment();
  const child = run(env);
  const ending = end(child);
  const get = async (path: string) => {
    const response = await fetch(`http://127.0.0.1:${env['VOTE_INTERNAL_PORT']}${path}`);
    return { status: response.status, text: await response.text() };
  };
  const deadline = performance.now() + 10_000;
  while (!(await get('/healthz').catch(() => undefined)) && performance.now() < deadline) {
    await sleep(50);
  }
  expect(await get('/healthz')).toEqual({ status: 200, text: 'alive\n' });
  while ((await get('/readyz')).text === 'starting\n') await sleep(20);
  const ready = await get('/readyz');
  expect(ready.status).toBe(503);
  expect(ready.text).toContain('no partition is led');
  const metrics = (await get('/metrics')).text;
  expect(metrics).toContain('votes_submitted_total');
  expect(metrics).toContain('service="intake",region="us-east-1"');
  expect((await get('/elsewhere')).status).toBe(404);
  child.kill('SIGTERM');
  const { code, text } = await ending;
  expect(code).toBe(0);
  const lines = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(lines.at(-1)).toMatchObject({ service: 'intake', region: 'us-east-1', msg: 'drained' });
});

async function startHanging(): Promise<{ child: ChildProcess; readyz: () => Promise<string> }> {
  const port = String(await freePort());
  const child = spawn(process.execPath, ['test/support/hanging-service.ts'], {
    env: { PATH: process.env['PATH'], VOTE_INTERNAL_PORT: port },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const readyz = async (): Promise<string> =>
    (await fetch(`http://127.0.0.1:${port}/readyz`)).text();
  const deadline = performance.now() + 10_000;
  while ((await readyz().catch(() => '')) !== 'ready\n' && performance.now() < deadline) {
    await sleep(50);
  }
  return { child, readyz };
}

test('a process that stood still for two seconds says so to the first who asks', async () => {
  const { child, readyz } = await startHanging();
  expect(await readyz()).toBe('ready\n');
  child.kill('SIGSTOP');
  await sleep(2300);
  child.kill('SIGCONT');
  expect(await readyz()).toMatch(/^the event loop stood still for 2\.\d s just now\n$/);
  child.kill('SIGKILL');
  await once(child, 'close');
});

test('a drain that never ends is ended after 20 s: within the 30 s of a rolling deploy', async () => {
  const { child, readyz } = await startHanging();
  const ending = end(child);
  const startedMs = performance.now();
  child.kill('SIGTERM');
  await sleep(100);
  expect(await readyz()).toBe('draining\n');
  const { code, text } = await ending;
  const tookMs = performance.now() - startedMs;
  expect(code).toBe(1);
  expect(text).toContain('the drain took too long');
  expect(tookMs).toBeGreaterThan(19_000);
  expect(tookMs).toBeLessThan(25_000);
}, 40_000);
