import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * A listener with the bounds that every public one has. `keepAliveTimeout` must outlast the load
 * balancer's idle time (60 s), or a request meets a closing connection and becomes a 502.
 */
export function createHttpServer(handler: RequestListener): Server {
  const server = createServer(
    {
      // Below what AWS WAF inspects of the headers (16 kB at the edge).
      maxHeaderSize: 8 * 1024,
      headersTimeout: 10_000,
      requestTimeout: 15_000,
      keepAliveTimeout: 65_000,
      connectionsCheckingInterval: 5000,
      // Two answers for one request line are how requests are smuggled: no leniency.
      insecureHTTPParser: false,
    },
    handler,
  );
  server.maxRequestsPerSocket = 0;
  return server;
}

/** Koa's callback answers with a promise that never rejects; a server wants none. */
export function listener(app: {
  callback(): (request: IncomingMessage, response: ServerResponse) => Promise<void>;
}): RequestListener {
  const handle = app.callback();
  return (request, response) => {
    void handle(request, response);
  };
}

/** Resolves with the port once the server listens; rejects with what stopped it. */
export function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, backlog: 4096 }, () => {
      server.off('error', reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

/** How often connections that have become idle are looked for while closing. */
const idleMs = 50;

/**
 * Stops listening and resolves when the requests under way are answered; the caller bounds the
 * wait. Connections close when they fall idle, and every answer from now on closes its own: a
 * client that keeps one busy would be served for ever otherwise.
 */
export function closeGracefully(server: Server): Promise<void> {
  return new Promise((resolve) => {
    if (!server.listening) return resolve();
    server.prependListener('request', (_request, response) => {
      response.setHeader('connection', 'close');
    });
    const idle = setInterval(() => server.closeIdleConnections(), idleMs);
    server.close(() => {
      clearInterval(idle);
      resolve();
    });
    server.closeIdleConnections();
  });
}
