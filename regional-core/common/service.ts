import type { Server } from 'node:http';
import { type Clock, sleep, systemClock } from './clock.ts';
import { timeHeader } from './clock-peer.ts';
import { ConfigError, type ConfigOf, type ConfigSpec, loadConfig, printConfig } from './config.ts';
import { closeGracefully, createHttpServer, listen } from './http-server.ts';
import { createLog, type Log, type LogLevel } from './log.ts';
import { LoopWatch } from './loop-watch.ts';
import { createRegistry, type Registry } from './metrics.ts';

/**
 * What every process does alike: read the configuration (or print it with `--print-config`), open
 * the internal listener (/healthz, /readyz, /metrics), start, drain on SIGTERM or SIGINT, and end.
 *
 * Drain: not ready → notice time for the load balancer → stop listening, end streams, answer what
 * is under way → `drain()` finishes what was accepted → exit 0. After `drainMsMax` the process ends
 * with 1, whatever is left.
 */
export interface ServiceDefinition<S extends ConfigSpec> {
  readonly name: string;
  readonly config: S;
  readonly start: (context: ServiceContext<ConfigOf<S>>) => Promise<Running>;
}

export interface ServiceContext<C> {
  readonly config: C;
  readonly log: Log;
  readonly metrics: Registry;
  readonly clock: Clock;
  /** Uniform in [0, 1): jitter only, never secrets. */
  readonly random: () => number;
  /** Aborts when the drain begins: loops end, waits return. */
  readonly draining: AbortSignal;
  /** That the event loop stood still just now: what waited meanwhile is late in every respect. */
  readonly loopTrouble: () => string | undefined;
  /** Ends the process with 1 after logging: for a state that only a restart mends. */
  readonly fail: (error: unknown, why: string) => void;
}

export interface Running {
  /** The public listener, if the service has one. */
  readonly server?: Server;
  /** Why this process should get no work now, a sentence each; none when ready. */
  readonly notReady: () => readonly string[];
  /** Ends answers that would go on for ever (streams), so that the listener can close. */
  readonly endStreams?: () => void;
  /** After the last answer: finishes what was accepted and closes what was opened. */
  readonly drain: () => Promise<void>;
}

interface CommonConfig {
  readonly host: string;
  readonly internalPort: number;
  readonly logLevel: LogLevel;
  readonly drainNoticeMs: number;
  readonly region?: string;
}

/** Less than the 30 s that Kubernetes gives a pod to end. */
const drainMsMax = 20_000;

/**
 * Called once, by a `main.ts`: it takes the process's signals and its unhandled errors. Resolves
 * when the service has started. A configuration that is not usable ends the process with 2, a start
 * that fails with 1, a signal during the start with 0.
 */
export async function runService<S extends ConfigSpec>(
  definition: ServiceDefinition<S>,
): Promise<void> {
  const config = readConfig(definition.config);
  const common = config as unknown as CommonConfig;
  const region = common.region === undefined ? {} : { region: common.region };
  const log = createLog({ service: definition.name, ...region }, common.logLevel);
  const metrics = createRegistry({ service: definition.name, ...region });
  const draining = new AbortController();
  const fail = (error: unknown, why: string): void => {
    log.fatal({ err: error }, why);
    // The line must be out before the process is gone; pino writes synchronously to stdout.
    process.exit(1);
  };
  process.on('unhandledRejection', (error) => fail(error, 'a rejection nobody handled'));
  process.on('uncaughtException', (error) => fail(error, 'an exception nobody caught'));

  let running: Running | undefined;
  let loop: LoopWatch | undefined;
  const notReady = (): readonly string[] => {
    if (draining.signal.aborted) return ['draining'];
    if (running === undefined) return ['starting'];
    const blocked = loop?.trouble();
    return blocked === undefined ? running.notReady() : [blocked, ...running.notReady()];
  };
  const internal = createInternalServer(notReady, metrics);
  try {
    await listen(internal, common.host, common.internalPort);
    onceSignalled(() => {
      draining.abort();
      void drain(running, internal, common.drainNoticeMs, log);
    });
    running = await definition.start({
      config,
      log,
      metrics,
      clock: systemClock,
      random: Math.random,
      draining: draining.signal,
      loopTrouble: () => loop?.trouble(),
      fail,
    });
    // From here on: reading the sources alone stops the loop for the better part of a second.
    loop = new LoopWatch(systemClock);
    log.info('started');
  } catch (error) {
    if (draining.signal.aborted) process.exit(0);
    fail(error, 'could not start');
  }
}

function readConfig<S extends ConfigSpec>(spec: S): ConfigOf<S> {
  try {
    const config = loadConfig(spec, process.env);
    if (process.argv.includes('--print-config')) {
      process.stdout.write(`${printConfig(spec, process.env)}\n`);
      process.exit(0);
    }
    return config;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(2);
  }
}

function createInternalServer(notReady: () => readonly string[], metrics: Registry): Server {
  return createHttpServer((request, response) => {
    const answer = (status: number, body: string, type = 'text/plain; charset=utf-8'): void => {
      response.writeHead(status, {
        'content-type': type,
        'cache-control': 'no-store',
        // For those who compare clocks; `Date` tells whole seconds only.
        [timeHeader]: String(Date.now()),
      });
      response.end(body);
    };
    if (request.method !== 'GET') return answer(405, 'GET only\n');
    if (request.url === '/healthz') return answer(200, 'alive\n');
    if (request.url === '/readyz') {
      const reasons = notReady();
      return answer(reasons.length === 0 ? 200 : 503, `${reasons.join('\n') || 'ready'}\n`);
    }
    if (request.url !== '/metrics') return answer(404, 'not found\n');
    metrics.metrics().then(
      (text) => answer(200, text, metrics.contentType),
      () => answer(500, 'metrics could not be collected\n'),
    );
  });
}

/** npm and the terminal both send SIGINT for one Ctrl-C: only the first signal counts. */
function onceSignalled(act: () => void): void {
  let signalled = false;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (signalled) return;
      signalled = true;
      act();
    });
  }
}

async function drain(
  running: Running | undefined,
  internal: Server,
  noticeMs: number,
  log: Log,
): Promise<void> {
  const deadline = setTimeout(() => {
    log.error({ drainMsMax }, 'the drain took too long; ending with work left');
    process.exit(1);
  }, drainMsMax + noticeMs);
  deadline.unref();
  try {
    await sleep(noticeMs);
    const closed = running?.server === undefined ? undefined : closeGracefully(running.server);
    running?.endStreams?.();
    await closed;
    await running?.drain();
    internal.close();
    log.info('drained');
    process.exit(0);
  } catch (error) {
    log.error({ err: error }, 'the drain failed');
    process.exit(1);
  }
}
