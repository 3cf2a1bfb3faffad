import type { IncomingMessage } from 'node:http';

/**
 * Bodies that go through here are a few hundred bytes (a vote) to some kilobytes (a session with
 * its texts). CloudFront takes more; what it would pass on, the services refuse.
 */
const bodyBytesMax = 128 * 1024;

/**
 * The whole body, so that it goes to the origin in one write and a slow viewer holds no connection
 * there. `too_large` beyond the bound, `gone` when the viewer left.
 */
export function readBody(request: IncomingMessage): Promise<Buffer | 'too_large' | 'gone'> {
  if (Number(request.headers['content-length'] ?? 0) > bodyBytesMax) {
    return Promise.resolve('too_large');
  }
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > bodyBytesMax) {
        request.pause();
        resolve('too_large');
      } else {
        chunks.push(chunk);
      }
    });
    request.on('end', () => resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)));
    request.on('error', () => resolve('gone'));
    request.on('close', () => resolve('gone'));
  });
}
