import type { IncomingMessage } from 'node:http';
import type { Exchange } from './exchange.ts';

/**
 * Passes an event stream: each chunk of the origin goes to the viewer's socket at once and as it
 * is. The answer has no framing of its own and ends with the connection (RFC 9112 section 6.3,
 * 8.), which is what an EventSource expects of a stream that ends, and spares a chunk header a
 * message.
 *
 * A slow viewer has at most one socket buffer (64 kB) waiting here; then the origin is not read,
 * its own connection fills up, and the results service drops to the latest totals for this
 * viewer.
 */
export function passStream(exchange: Exchange, answer: IncomingMessage, headers: string[]): void {
  const { request, response, metrics } = exchange;
  const { socket } = request;
  response.useChunkedEncodingByDefault = false;
  response.writeHead(answer.statusCode!, headers);
  response.flushHeaders();
  metrics.streamOpened();
  response.on('close', () => metrics.streamClosed());
  const resume = (): void => void answer.resume();
  socket.on('drain', resume);
  answer.on('data', (chunk: Buffer) => {
    if (!socket.write(chunk)) answer.pause();
  });
  answer.on('end', () => response.end());
}
