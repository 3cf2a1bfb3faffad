import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type RequestListener,
  request,
  type Server,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { pathToFileURL } from 'node:url';
import type { Clock } from '#common/clock.ts';
import { createHttpServer, listen } from '#common/http-server.ts';
import { createLog } from '#common/log.ts';
import { createRegistry, type Registry } from '#common/metrics.ts';
import type { WebAcl } from '#waf/evaluate/types.ts';
import { readAcls } from '#waf/read.ts';
import { type EdgeConfig, readEdgeConfig } from '../../../edge-config/read.ts';
import { createEdge } from '../../../local/edge/app.ts';

export const originSecret = 'the-secret-of-this-test';

/** What an origin was asked, as it arrived. */
export interface Asked {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
  readonly body: string;
}

/** A real origin on a free port: records what it is asked and answers with `answer`. */
export class Origin {
  readonly asked: Asked[] = [];
  answer: (asked: Asked, ...http: Parameters<RequestListener>) => void = (_asked, _, response) => {
    response.end('{}');
  };
  readonly #server: Server = createServer((incoming, response) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      const { method = '', url = '', headers, rawHeaders } = incoming;
      const asked = { method, url, headers, rawHeaders, body: Buffer.concat(chunks).toString() };
      this.asked.push(asked);
      this.answer(asked, incoming, response);
    });
  });

  async open(): Promise<URL> {
    await listen(this.#server, '127.0.0.1', 0);
    const { port } = this.#server.address() as AddressInfo;
    return new URL(`http://127.0.0.1:${port}`);
  }

  /** As `kill -9` does: nothing is finished, the port is closed. */
  kill(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

export interface EdgeUnderTest {
  readonly port: number;
  readonly portalPort: number;
  /** One origin answers for all services of its region. */
  readonly home: Origin;
  readonly away: Origin;
  readonly portal: Origin;
  readonly metrics: Registry;
  /** Folder of the static files: `page/` is the built page. */
  readonly write: (path: string, content: string) => void;
  readonly close: () => void;
}

export interface Changes {
  readonly config?: (config: EdgeConfig) => void;
  readonly rateLimit?: number;
  readonly clock?: Clock;
}

/** The edge with its real data, two regions and a portal, on free ports of the loopback address. */
export async function startEdge(changes: Changes = {}): Promise<EdgeUnderTest> {
  const [home, away, portal] = [new Origin(), new Origin(), new Origin()];
  const [homeUrl, awayUrl, portalUrl] = [await home.open(), await away.open(), await portal.open()];
  const folder = mkdtempSync(`${tmpdir()}/edge-`);
  const write = (path: string, content: string): void => {
    const file = `${folder}/${path}`;
    mkdirSync(file.slice(0, file.lastIndexOf('/')), { recursive: true });
    writeFileSync(file, content);
  };
  const config = readEdgeConfig();
  changes.config?.(config);
  const metrics = createRegistry({});
  const edge = createEdge({
    config,
    acls: aclsWithLimit(changes.rateLimit),
    origins: {
      regions: [
        { name: 'us-east-1', services: servicesAt(homeUrl) },
        { name: 'us-west-2', services: servicesAt(awayUrl) },
      ],
      portal: portalUrl,
    },
    originSecret,
    resultsOrigin: 'http://results.localhost:8080',
    root: pathToFileURL(`${folder}/`),
    log: createLog({ service: 'edge' }, 'error'),
    metrics,
    ...(changes.clock === undefined ? {} : { clock: changes.clock }),
  });
  const servers = [createHttpServer(edge.listener()), createHttpServer(edge.listener('portal'))];
  const [port, portalPort] = await Promise.all(
    servers.map((server) => listen(server, '127.0.0.1', 0)),
  );
  const close = (): void => {
    edge.close();
    for (const server of servers) {
      server.close();
      server.closeAllConnections();
    }
    for (const origin of [home, away, portal]) origin.kill();
    rmSync(folder, { recursive: true });
  };
  return { port: port!, portalPort: portalPort!, home, away, portal, metrics, write, close };
}

function servicesAt(url: URL): Record<string, URL> {
  return { intake: url, identity: url, results: url, records: url };
}

function aclsWithLimit(limit: number | undefined): ReturnType<typeof readAcls> {
  const acls = readAcls();
  if (limit === undefined) return acls;
  const lowered = (acl: WebAcl): WebAcl => {
    const Rules = structuredClone(acl.Rules) as { Statement: Record<string, { Limit: number }> }[];
    for (const rule of Rules) rule.Statement['RateBasedStatement']!.Limit = limit;
    return { ...acl, Rules };
  };
  return {
    vote: lowered(acls.vote),
    results: lowered(acls.results),
    portal: lowered(acls.portal),
  };
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Ask {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | Buffer;
  /** The viewer's own address, any of 127.0.0.0/8. */
  readonly from?: string;
}

/** One request to the edge on a connection of its own; rejects when the connection is cut. */
export async function ask(port: number, path: string, options: Ask = {}): Promise<Answer> {
  const response = await open(port, path, options);
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks).toString();
  return { status: response.statusCode!, headers: response.headers, body };
}

/** Like `ask`, but resolves with the headers: the caller reads or destroys the response. */
export function open(port: number, path: string, options: Ask = {}): Promise<IncomingMessage> {
  const { method = 'GET', body, from = '127.0.0.1' } = options;
  return new Promise((resolve, reject) => {
    const headers = { host: `localhost:${port}`, ...options.headers };
    const sent = request({
      host: '127.0.0.1',
      port,
      method,
      path,
      headers,
      localAddress: from,
      agent: false,
    });
    sent.on('response', resolve);
    sent.on('error', reject);
    sent.end(body);
  });
}

/** The metric's samples that have all these labels, added up. */
export async function countOf(
  metrics: Registry,
  name: string,
  labels: Record<string, string>,
): Promise<number> {
  const metric = await metrics.getSingleMetric(name)!.get();
  const matching = metric.values.filter((value) =>
    Object.entries(labels).every(([label, text]) => value.labels[label] === text),
  );
  return matching.reduce((sum, value) => sum + value.value, 0);
}
