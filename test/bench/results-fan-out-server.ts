import type { ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { systemClock } from '#common/clock.ts';
import { createHttpServer, listen, listener } from '#common/http-server.ts';
import { createLog } from '#common/log.ts';
import { Registry } from '#common/metrics.ts';
import { createResultsApp } from '../../regional-core/results/app.ts';
import { createResults } from '../../regional-core/results/create-results.ts';
import { createMetrics } from '../../regional-core/results/metrics.ts';
import { encodeChange } from '../../regional-core/results/stream/change.ts';
import { frameChunk } from '../../regional-core/results/stream/sse.ts';
import { viewOf } from '../../regional-core/results/view.ts';
import { aSession, originSecret, sessionId, totalsAt } from '../regional-core/results/harness.ts';

/** The server side of `results-fan-out.ts`, commanded over the channel of its parent. */
export type Command =
  | { readonly do: 'start'; readonly sender: 'broadcaster' | 'response.write' }
  | { readonly do: 'tick'; readonly everyMs: number }
  | { readonly do: 'report' | 'stop' };

export interface Report {
  readonly port: number;
  readonly atS: number;
  readonly cpuS: number;
  readonly rssKb: number;
  readonly deliveries: number;
  readonly dropped: number;
  /** Size of one framed tick: every tick of a run has the same. */
  readonly tickBytes: number;
  readonly loopDelayMaxMs: number;
}

const optionCount = 10;
const responses = new Set<ServerResponse>();
const loopDelay = monitorEventLoopDelay({ resolution: 5 });
const world = { deliveries: 0, dropped: 0, offset: 20_000_000, tickBytes: 0 };
let sender: 'broadcaster' | 'response.write' = 'broadcaster';
let ticking: NodeJS.Timeout | undefined;

const metrics = createMetrics(new Registry());
const results = createResults({
  streamsMax: 100_000,
  streamsPerAddressMax: 100_000,
  receiptKeys: new Map(),
  clock: systemClock,
  random: Math.random,
  metrics: {
    ...metrics,
    stream: {
      ...metrics.stream,
      delivered: (chunks) => {
        metrics.stream.delivered(chunks);
        world.deliveries += chunks;
      },
      dropped: () => {
        metrics.stream.dropped();
        world.dropped += 1;
      },
    },
  },
  caughtUp: () => true,
  draining: () => false,
});
const handle = listener(
  createResultsApp(results, {
    log: createLog({ service: 'bench' }, 'error'),
    region: 'home',
    originSecrets: [originSecret],
  }),
);
const server = createHttpServer((request, response) => {
  responses.add(response);
  handle(request, response);
});
const options = Array.from({ length: optionCount }, (_, no) => ({
  option_id: `option-${no}`,
  label: `Option number ${no}`,
}));
results.state.takeSession(
  aSession({ options, opens_at_ms: 0, closes_at_ms: Date.now() + 3_600_000 }),
  Date.now(),
);
results.state.takeTotals(totals());

function totals() {
  const counts = Array<number>(optionCount).fill(world.offset);
  return totalsAt(world.offset, counts, { at_ms: Date.now() });
}

function tick(): void {
  const previous = viewOf(results.state.get(sessionId)!, 'public', Date.now());
  world.offset += 1;
  results.state.takeTotals(totals());
  const next = viewOf(results.state.get(sessionId)!, 'public', Date.now());
  const text = encodeChange(previous, next, { format: 'tick', withCovers: false })!;
  world.tickBytes = frameChunk(text).framed.length;
  if (sender === 'broadcaster') return results.broadcaster.markChanged(sessionId);
  for (const response of responses) response.write(text);
  world.deliveries += responses.size;
}

function report(): Report {
  const { user, system } = process.cpuUsage();
  return {
    ...world,
    port: (server.address() as AddressInfo).port,
    atS: performance.now() / 1000,
    cpuS: (user + system) / 1e6,
    rssKb: process.memoryUsage.rss() / 1024,
    loopDelayMaxMs: loopDelay.max / 1e6,
  };
}

process.on('message', (command: Command) => {
  const act = async (): Promise<void> => {
    if (command.do === 'start') {
      ({ sender } = command);
      await listen(server, '127.0.0.1', 0);
    }
    if (command.do === 'tick') {
      loopDelay.enable();
      ticking = setInterval(tick, command.everyMs);
    }
    if (command.do === 'stop') {
      clearInterval(ticking);
      // What the last round still writes counts to it.
      await new Promise((resolve) => setTimeout(resolve, 300));
      loopDelay.disable();
    }
    // Memory is compared between two reports; where CPU is, collecting garbage would count to it.
    if (command.do === 'report') globalThis.gc?.();
    process.send!(report());
  };
  void act();
});
process.on('disconnect', () => process.exit(0));
