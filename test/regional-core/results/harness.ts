import { generateKeyPairSync } from 'node:crypto';
import type { IncomingMessage, Server } from 'node:http';
import http from 'node:http';
import type { Socket } from 'node:net';
import { sleep, systemClock } from '#common/clock.ts';
import { assembleReceipt, signReceipt } from '#common/contracts/receipt.ts';
import type { FinalResult, SessionMessage } from '#common/contracts/session.ts';
import { type TotalsMessage, totalsSequence } from '#common/contracts/vote-aggregated.ts';
import { createHttpServer, listen, listener } from '#common/http-server.ts';
import { importPublicKeys, parseSigningKey } from '#common/keys.ts';
import { createLog } from '#common/log.ts';
import { Registry } from '#common/metrics.ts';
import { createResultsApp } from '../../../regional-core/results/app.ts';
import { createResults } from '../../../regional-core/results/create-results.ts';
import { createMetrics } from '../../../regional-core/results/metrics.ts';
import type { Results } from '../../../regional-core/results/results.ts';
import { sessionMessage } from '../../support/session.ts';
import { EventSourceParser } from './event-source.ts';

export const sessionId = '11111111-1111-4111-8111-111111111111';
export const otherSessionId = '22222222-2222-4222-8222-222222222222';
export const originSecret = 'a-secret-of-the-edge';
export const opensAtMs = Date.UTC(2026, 0, 1);
export const closesAtMs = opensAtMs + 3_600_000;

export function aSession(changes: Partial<SessionMessage> = {}): SessionMessage {
  return sessionMessage({
    session_id: sessionId,
    title: 'The final',
    options: ['a', 'b', 'c'].map((id) => ({ option_id: id, label: `Option ${id}` })),
    opens_at_ms: opensAtMs,
    closes_at_ms: closesAtMs,
    ...changes,
  });
}

export function aFinal(changes: Partial<FinalResult> = {}): FinalResult {
  return {
    digest: 'd'.repeat(64),
    counts: [4, 3, 2],
    total: 9,
    at_ms: closesAtMs + 60_000,
    act_hash: 'a'.repeat(64),
    ...changes,
  };
}

/** Totals whose covers and sequence follow from the offset of one partition. */
export function totalsAt(
  offset: number,
  counts: readonly number[] | null,
  changes: Partial<TotalsMessage> = {},
): TotalsMessage {
  const covers = { home: [offset, 0] };
  const total = counts?.reduce((sum, count) => sum + count, 0) ?? offset;
  return {
    v: 1,
    session_id: sessionId,
    epoch: 1,
    sequence: totalsSequence(1, covers, 0),
    total_votes: total,
    counts,
    covers,
    at_ms: opensAtMs + offset,
    ...changes,
  };
}

const { privateKey } = generateKeyPairSync('ed25519');
const signingKey = parseSigningKey(JSON.stringify(privateKey.export({ format: 'jwk' })));

export function aReceipt(ofSession: string = sessionId): string {
  const fields = {
    vote_id: '33333333-3333-8333-8333-333333333333',
    session_id: ofSession,
    commitment: 'AAAA',
    acceptedAtMs: opensAtMs,
    region: 'home',
    partition: 0,
    offset: 5,
    durability: 'single' as const,
  };
  return assembleReceipt(fields, signingKey.kid, signReceipt(fields, signingKey));
}

export interface TestServer {
  readonly results: Results;
  readonly server: Server;
  readonly port: number;
  readonly registry: Registry;
  /** The server's ends of all connections. */
  readonly sockets: ReadonlySet<Socket>;
  /** Wall clock and monotonic clock at once, ms. */
  nowMs: number;
  caughtUp: boolean;
  draining: boolean;
  /** Hands totals on as the follower does. */
  readonly tell: (totals: TotalsMessage) => void;
  readonly tellSession: (session: SessionMessage) => void;
  readonly tellStale: (sinceMs: number | null) => void;
  readonly get: (path: string, headers?: Record<string, string>) => Promise<Answer>;
  readonly stream: (path: string, headers?: Record<string, string>) => Promise<TestStream>;
  readonly close: () => Promise<void>;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
}

export async function startResults(
  limits: { streamsMax?: number; streamsPerAddressMax?: number } = {},
): Promise<TestServer> {
  const registry = new Registry();
  const world = { nowMs: opensAtMs + 1000, caughtUp: true, draining: false };
  const results = createResults({
    streamsMax: 100,
    streamsPerAddressMax: 100,
    ...limits,
    receiptKeys: importPublicKeys([signingKey.publicJwk]),
    clock: {
      now: () => world.nowMs,
      monotonicMs: () => world.nowMs,
      after: (ms, act) => systemClock.after(ms, act),
    },
    random: () => 0.5,
    metrics: createMetrics(registry),
    caughtUp: () => world.caughtUp,
    draining: () => world.draining,
  });
  const app = createResultsApp(results, {
    log: createLog({ service: 'test' }, 'error', { write: () => undefined }),
    region: 'home',
    originSecrets: [originSecret],
  });
  const server = createHttpServer(listener(app));
  const port = await listen(server, '127.0.0.1', 0);
  const agent = new http.Agent({ keepAlive: true });
  const streams: TestStream[] = [];
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  return Object.assign(world, {
    results,
    sockets,
    server,
    port,
    registry,
    tell: (totals: TotalsMessage) => {
      if (results.state.takeTotals(totals)) results.broadcaster.markChanged(totals.session_id);
    },
    tellSession: (session: SessionMessage) => {
      if (results.state.takeSession(session, world.nowMs)) {
        results.broadcaster.markChanged(session.session_id);
      }
    },
    tellStale: (sinceMs: number | null) => {
      for (const id of results.state.takeStale(sinceMs)) results.broadcaster.markChanged(id);
    },
    get: (path: string, headers: Record<string, string> = {}) => get(agent, port, path, headers),
    stream: async (path: string, headers: Record<string, string> = {}) => {
      const stream = new TestStream(await request(agent, port, path, headers));
      streams.push(stream);
      return stream;
    },
    close: async () => {
      for (const stream of streams) stream.close();
      agent.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  });
}

function request(
  agent: http.Agent,
  port: number,
  path: string,
  headers: Record<string, string>,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const options = { agent, host: '127.0.0.1', port, path };
    const asked = http.get({
      ...options,
      headers: { 'x-origin-secret': originSecret, ...headers },
    });
    asked.on('response', resolve);
    asked.on('error', reject);
  });
}

async function get(
  agent: http.Agent,
  port: number,
  path: string,
  headers: Record<string, string>,
): Promise<Answer> {
  const response = await request(agent, port, path, headers);
  let text = '';
  response.setEncoding('utf8');
  for await (const part of response) text += part as string;
  return { status: response.statusCode!, headers: response.headers, text };
}

/** A stream as a client has it. */
export class TestStream {
  readonly response: IncomingMessage;
  readonly parser = new EventSourceParser();
  text = '';
  ended = false;

  constructor(response: IncomingMessage) {
    this.response = response;
    response.setEncoding('utf8');
    response.on('data', (part: string) => {
      this.text += part;
      this.parser.push(part);
    });
    response.on('end', () => {
      this.ended = true;
    });
    response.on('error', () => undefined);
  }

  get status(): number {
    return this.response.statusCode!;
  }

  /** Waits until so many events have come in all. */
  async events(count: number): Promise<EventSourceParser['events']> {
    await until(() => this.parser.events.length >= count, `${count} events`);
    return this.parser.events;
  }

  close(): void {
    this.response.destroy();
  }
}

/** Waits for something to become true; at most 5 s. */
export async function until(isTrue: () => boolean, what: string): Promise<void> {
  const deadlineMs = performance.now() + 5000;
  while (!isTrue()) {
    if (performance.now() > deadlineMs) throw new Error(`waited in vain for ${what}`);
    await sleep(5);
  }
}

export function json(text: string): Record<string, unknown> {
  return JSON.parse(text) as Record<string, unknown>;
}
