import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';

/** Real processes whose wall clock libfaketime sets, and whose monotonic clock it leaves alone. */
const folder = mkdtempSync(join(tmpdir(), 'vote-faketime-'));
const timeFile = join(folder, 'time');
const honest = createServer((_request, response) => {
  response.setHeader('x-time-ms', String(Date.now()));
  response.end('alive\n');
}).listen(0, '127.0.0.1');
await once(honest, 'listening');
const address = `http://127.0.0.1:${(honest.address() as AddressInfo).port}`;
const peers = [`${address}/one`, `${address}/two`];
afterAll(async () => {
  honest.closeAllConnections();
  honest.close();
  await once(honest, 'close');
  rmSync(folder, { recursive: true });
});

/** Where faketime keeps its library; it is installed with the tests' other tools. */
const library = execFileSync('faketime', ['-f', '+0', 'printenv', 'LD_PRELOAD']).toString().trim();

async function doubts(whileItRuns: () => void = () => undefined): Promise<string[]> {
  const child = spawn(process.execPath, ['test/support/tell-doubts.ts', ...peers], {
    env: {
      PATH: process.env['PATH'],
      LD_PRELOAD: library,
      FAKETIME_TIMESTAMP_FILE: timeFile,
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString();
    if (text === 'watching\n') whileItRuns();
  });
  await once(child, 'close');
  return JSON.parse(text.split('\n')[1] ?? '') as string[];
}

test('a process whose clock is right says nothing', async () => {
  writeFileSync(timeFile, '+0');
  expect(await doubts()).toEqual([]);
});

test.each(['+300', '-300'])('a process started with a clock %s s off is not ready', async (off) => {
  writeFileSync(timeFile, off);
  expect(await doubts()).toEqual([
    expect.stringMatching(/^2 of 2 peers say that the clock is off by -?(300|299)\d{3} ms$/),
  ]);
});

test('a clock that is set by five minutes while the process runs is noticed', async () => {
  writeFileSync(timeFile, '+0');
  const said = await doubts(() => writeFileSync(timeFile, '+300'));
  expect(said[0]).toMatch(
    /^the clock was set: it moved by (300|299)\d{3} ms against the monotonic clock$/,
  );
  expect(said[1]).toMatch(/^2 of 2 peers say/);
});
