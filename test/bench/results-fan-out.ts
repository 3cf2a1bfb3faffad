import { type ChildProcess, execFileSync, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { sleep } from '#common/clock.ts';
import type { Command, Report } from './results-fan-out-server.ts';

/**
 * What the fan-out of results costs: one server process, one client process (this one) that reads
 * and drops. Senders in one run, as figures compare only on one machine at one time: ours,
 * `response.write` on the same streams, and a bare loop in C (needs `cc`).
 *
 *     node test/bench/results-fan-out.ts --streams 2000 --seconds 10 --tick-ms 40
 */
const { values } = parseArgs({
  options: {
    streams: { type: 'string', default: '2000' },
    seconds: { type: 'string', default: '10' },
    'tick-ms': { type: 'string', default: '40' },
  },
});
const streams = Number(values.streams);
const ms = Number(values.seconds) * 1000;
const tickMs = Number(values['tick-ms']);
const connectAtOnce = 100;
/** Everything read is dropped, so one buffer serves all. */
const readBuffer = Buffer.alloc(64 * 1024);

const tickBytes = await runServer('broadcaster');
await runServer('response.write');
await runSendLoop(tickBytes);

async function runServer(sender: 'broadcaster' | 'response.write'): Promise<number> {
  const server = fork(new URL('./results-fan-out-server.ts', import.meta.url), {
    execArgv: ['--expose-gc'],
  });
  const { port } = await ask(server, { do: 'start', sender });
  const before = await ask(server, { do: 'report' });
  const counter = { bytes: 0 };
  const sockets = await openAll(port, counter);
  await untilQuiet(counter);
  const opened = await ask(server, { do: 'report' });
  counter.bytes = 0;
  const started = await ask(server, { do: 'tick', everyMs: tickMs });
  await sleep(ms);
  const done = await ask(server, { do: 'stop' });
  await untilQuiet(counter);
  const deliveries = done.deliveries - started.deliveries;
  show(sender, deliveries, done.cpuS - started.cpuS, done.atS - started.atS, {
    dropped: done.dropped - started.dropped,
    all_received: counter.bytes === deliveries * done.tickBytes,
    loop_delay_max_ms: Number(done.loopDelayMaxMs.toFixed(1)),
    kb_per_stream: Number(((opened.rssKb - before.rssKb) / streams).toFixed(1)),
  });
  for (const socket of sockets) socket.destroy();
  server.disconnect();
  await once(server, 'exit');
  return done.tickBytes;
}

async function runSendLoop(bytes: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'send-loop-'));
  const binary = join(folder, 'send-loop');
  execFileSync('cc', ['-O2', '-o', binary, fileURLToPath(new URL('send-loop.c', import.meta.url))]);
  const loop = spawn(binary, [streams, ms / 1000, tickMs, bytes].map(String));
  const lines = createInterface({ input: loop.stdout })[Symbol.asyncIterator]();
  const { port } = JSON.parse(String((await lines.next()).value)) as { port: number };
  const sockets = await openAll(port, { bytes: 0 });
  const { deliveries, cpu_s, wall_s } = JSON.parse(String((await lines.next()).value)) as {
    [name in 'deliveries' | 'cpu_s' | 'wall_s']: number;
  };
  show('send loop in C', deliveries, cpu_s, wall_s, {});
  for (const socket of sockets) socket.destroy();
  rmSync(folder, { recursive: true });
}

function show(
  sender: string,
  deliveries: number,
  cpuS: number,
  wallS: number,
  more: Readonly<Record<string, unknown>>,
): void {
  const figures = {
    sender,
    streams,
    deliveries_per_s: Math.round(deliveries / wallS),
    deliveries_per_cpu_s: Math.round(deliveries / cpuS),
    cpu_us_per_delivery: Number(((cpuS * 1e6) / deliveries).toFixed(2)),
    server_cpu_share: Number((cpuS / wallS).toFixed(2)),
    ...more,
  };
  console.log(JSON.stringify(figures));
}

async function openAll(port: number, counter: { bytes: number }): Promise<Socket[]> {
  const sockets: Socket[] = [];
  while (sockets.length < streams) {
    const wanted = Math.min(connectAtOnce, streams - sockets.length);
    sockets.push(...(await Promise.all(Array.from({ length: wanted }, () => open(port, counter)))));
  }
  return sockets;
}

/** Waits until nothing more comes in: snapshots first, the last tick later. */
async function untilQuiet(counter: { readonly bytes: number }): Promise<void> {
  let seen = -1;
  while (seen !== counter.bytes) {
    seen = counter.bytes;
    await sleep(1000);
  }
}

function ask(server: ChildProcess, command: Command): Promise<Report> {
  return new Promise((resolve, reject) => {
    server.once('message', (message) => resolve(message as Report));
    server.once('exit', () => reject(new Error('the server process ended')));
    server.send(command);
  });
}

function open(port: number, counter: { bytes: number }): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const onread = {
      buffer: readBuffer,
      callback: (bytes: number) => {
        counter.bytes += bytes;
        return true;
      },
    };
    const socket = connect({ port, host: '127.0.0.1', onread }, () => {
      socket.write(
        'GET /api/v1/results/11111111-1111-4111-8111-111111111111/stream?format=tick HTTP/1.1\r\n' +
          'host: localhost\r\nuser-agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36\r\n' +
          'accept: text/event-stream\r\naccept-language: en-US,en;q=0.9\r\n' +
          'x-origin-secret: a-secret-of-the-edge\r\ncloudfront-viewer-address: 192.0.2.1:4711\r\n\r\n',
      );
      resolve(socket);
    });
    socket.on('error', reject);
  });
}
