import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, Origin, open } from './edge-under-test.ts';

let folder: string;
let origin: Origin;
let environment: Record<string, string>;
const ports = { public: 0, portal: 0, internal: 0 };

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

beforeAll(async () => {
  folder = mkdtempSync(`${tmpdir()}/edge-main-`);
  writeFileSync(`${folder}/secret`, 'current-secret-of-the-edge\nnext-secret-of-the-edge\n');
  origin = new Origin();
  const url = (await origin.open()).origin;
  for (const name of ['public', 'portal', 'internal'] as const) ports[name] = await freePort();
  environment = {
    PATH: process.env['PATH'] ?? '',
    VOTE_PORT: String(ports.public),
    VOTE_PORTAL_PORT: String(ports.portal),
    VOTE_INTERNAL_PORT: String(ports.internal),
    VOTE_ORIGIN_SECRET_FILE: `${folder}/secret`,
    VOTE_EDGE_ORIGINS: JSON.stringify({
      'us-east-1': { intake: url, identity: url, results: url, records: url },
      portal: { portal: url },
    }),
  };
});
const started: ChildProcess[] = [];
afterAll(() => {
  for (const edge of started) edge.kill('SIGKILL');
  origin.kill();
  rmSync(folder, { recursive: true });
});

function start(extra: Record<string, string> = {}, ...args: string[]): ChildProcess {
  const main = new URL('../../../local/edge/main.ts', import.meta.url).pathname;
  const env = { ...environment, ...extra };
  const edge = spawn(process.execPath, [main, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  started.push(edge);
  return edge;
}

async function textOf(stream: NodeJS.ReadableStream): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

async function untilReady(): Promise<void> {
  const deadlineMs = performance.now() + 15_000;
  for (;;) {
    const answer = await ask(ports.internal, '/readyz').catch(() => undefined);
    if (answer?.status === 200) return;
    if (performance.now() > deadlineMs) throw new Error('the edge did not get ready');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

describe('the process', () => {
  it('serves both listeners with the first secret, and ends with a stream open', async () => {
    origin.answer = (asked, _request, response) => {
      if (!asked.url.endsWith('/stream')) return void response.end('origin');
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.flushHeaders();
    };
    const edge = start();
    const exited = once(edge, 'exit');
    await untilReady();
    expect((await ask(ports.public, '/api/v1/votes/v1')).body).toBe('origin');
    expect((await ask(ports.portal, '/admin/api/v1/sessions')).body).toBe('origin');
    expect(origin.asked[0]!.headers['x-origin-secret']).toBe('current-secret-of-the-edge');
    expect((await ask(ports.internal, '/metrics')).body).toContain('edge_requests_total');
    const stream = await open(ports.public, '/api/v1/results/s1/stream');
    stream.on('error', () => {}).resume();
    edge.kill('SIGTERM');
    expect(await exited).toEqual([0, null]);
  }, 40_000);

  it('refuses to start with a key that is missing or unknown, naming it', async () => {
    const edge = start({ VOTE_EDGE_ORIGINS: '{"portal":{}}', VOTE_EDGE_ORIGIN: '' });
    const [said, [code]] = await Promise.all([textOf(edge.stderr!), once(edge, 'exit')]);
    expect(code).toBe(2);
    expect(said).toContain('VOTE_EDGE_ORIGINS lacks portal.portal');
    expect(said).toContain('VOTE_EDGE_ORIGIN is not a key of this service');
  }, 20_000);

  it('prints its configuration without the secret', async () => {
    const edge = start({}, '--print-config');
    const [said, [code]] = await Promise.all([textOf(edge.stdout!), once(edge, 'exit')]);
    expect(code).toBe(0);
    expect(said).toContain(`VOTE_PORT=${ports.public}`);
    expect(said).not.toContain('current-secret');
  }, 20_000);
});
