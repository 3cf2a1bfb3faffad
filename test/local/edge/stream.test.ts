import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { countOf, type EdgeUnderTest, open, startEdge } from './edge-under-test.ts';

const address = '/api/v1/results/s1/stream?format=tick&covers=1';

let edge: EdgeUnderTest;
let streams: ServerResponse[];
beforeEach(async () => {
  streams = [];
  edge = await startEdge();
  edge.home.answer = (_asked, _request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    response.flushHeaders();
    streams.push(response);
  };
});
afterEach(() => edge.close());

async function chunkOf(stream: IncomingMessage): Promise<string> {
  const [chunk] = (await once(stream, 'data')) as [Buffer];
  return chunk.toString();
}

describe('a results stream', () => {
  it('passes each event at once, as it was written', async () => {
    const stream = await open(edge.port, address);
    expect(stream.headers['content-type']).toBe('text/event-stream');
    for (const event of ['event: snapshot\ndata: {}\n\n', 'id: 7\ndata: {"t":1}\n\n', ':\n\n']) {
      const arrived = chunkOf(stream);
      streams[0]!.write(event);
      expect(await arrived).toBe(event);
    }
    stream.destroy();
  });

  it('forwards query and Last-Event-ID, and no cookie', async () => {
    const headers = { 'last-event-id': '41', cookie: 'a=b' };
    const stream = await open(edge.port, address, { headers });
    expect(edge.home.asked[0]).toMatchObject({ url: address, headers: { 'last-event-id': '41' } });
    expect(edge.home.asked[0]!.headers.cookie).toBeUndefined();
    stream.destroy();
  });

  it('is one stream at the origin for each viewer, and ends when the viewer leaves', async () => {
    const [first, second] = [await open(edge.port, address), await open(edge.port, address)];
    expect(streams).toHaveLength(2);
    const labels = {};
    expect(await countOf(edge.metrics, 'edge_streams_active', labels)).toBe(2);
    const gone = once(streams[0]!, 'close');
    first.destroy();
    await gone;
    expect(streams[1]!.destroyed).toBe(false);
    second.destroy();
    await once(streams[1]!, 'close');
    expect(await countOf(edge.metrics, 'edge_streams_active', labels)).toBe(0);
  });

  it('ends for the viewer when the origin ends it or dies', async () => {
    const [first, second] = [await open(edge.port, address), await open(edge.port, address)];
    const ended = once(first.resume(), 'end');
    streams[0]!.end();
    await ended;
    const cut = once(second.resume(), 'close');
    second.on('error', () => {});
    edge.home.kill();
    await cut;
  });

  it('of a viewer that does not read holds the origin back, and loses nothing', async () => {
    const stream = await open(edge.port, address);
    const event = `data: ${'x'.repeat(64 * 1024)}\n\n`;
    const events = 800;
    for (let at = 0; at < events; at++) {
      streams[0]!.write(event);
      await new Promise(setImmediate);
    }
    // What the kernel takes in between is bounded, at some megabytes a connection.
    await new Promise((resolve) => setTimeout(resolve, 200));
    const heldBack = streams[0]!.writableLength;
    expect(heldBack).toBeGreaterThan((events * event.length) / 4);
    let bytes = 0;
    stream.on('data', (chunk: Buffer) => (bytes += chunk.length));
    streams[0]!.end();
    await once(stream, 'end');
    expect(bytes).toBe(events * event.length);
  });
});
