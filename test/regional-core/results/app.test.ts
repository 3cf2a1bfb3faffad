import { afterEach, beforeEach, expect, test } from 'vitest';
import { snapshotAnswer } from '../../../regional-core/results/snapshot/contract.ts';
import { tick, voteUpdate } from '../../../regional-core/results/stream/contract.ts';
import {
  aReceipt,
  aSession,
  closesAtMs,
  json,
  otherSessionId,
  sessionId,
  startResults,
  type TestServer,
  totalsAt,
  until,
} from './harness.ts';

const path = `/api/v1/results/${sessionId}`;
let server: TestServer;

beforeEach(async () => {
  server = await startResults();
  server.tellSession(aSession());
});

afterEach(() => server.close());

test('a snapshot shows counts and percentages, and says whether it was encoded for the request', async () => {
  server.tell(totalsAt(6, [1, 2, 0]));
  const first = await server.get(path);
  expect(first.status).toBe(200);
  expect(first.headers['content-type']).toBe('application/json; charset=utf-8');
  expect(first.headers['cache-control']).toBe(
    'public, max-age=1, stale-while-revalidate=10, stale-if-error=60',
  );
  const body = snapshotAnswer.parse(json(first.text));
  expect(body).toMatchObject({
    session_id: sessionId,
    state: 'open',
    results_policy: 'live',
    hidden: false,
    total_votes: 3,
    last_updated: '2026-01-01T00:00:00.006Z',
    is_finalized: false,
    sequence: 2 ** 40 + 6,
    covers: { home: [6, 0] },
    cache_hit: false,
  });
  expect(body.options).toEqual([
    { option_id: 'a', label: 'Option a', vote_count: 1, percentage: 33.33 },
    { option_id: 'b', label: 'Option b', vote_count: 2, percentage: 66.67 },
    { option_id: 'c', label: 'Option c', vote_count: 0, percentage: 0 },
  ]);
  const second = json((await server.get(path)).text);
  expect(second).toEqual({ ...body, cache_hit: true });
});

test('a snapshot with the tag of the one held is answered 304 until totals change', async () => {
  server.tell(totalsAt(1, [1, 0, 0]));
  const { etag } = (await server.get(path)).headers;
  const again = await server.get(path, { 'if-none-match': `"x", ${etag}` });
  expect(again).toMatchObject({ status: 304, text: '' });
  expect(again.headers['cache-control']).toContain('max-age=1');
  server.tell(totalsAt(2, [2, 0, 0]));
  expect((await server.get(path, { 'if-none-match': etag! })).status).toBe(200);
});

test('a session without totals yet shows zeros', async () => {
  const body = snapshotAnswer.parse(json((await server.get(path)).text));
  expect(body).toMatchObject({ total_votes: 0, sequence: 0, covers: {} });
  expect(body.options.map((option) => option.vote_count)).toEqual([0, 0, 0]);
});

test('a session nobody knows is 404, kept for a second; for a stream it is not kept', async () => {
  const answer = await server.get(`/api/v1/results/${otherSessionId}`);
  expect(answer).toMatchObject({ status: 404 });
  expect(answer.headers['cache-control']).toBe('public, max-age=1');
  expect(answer.headers['content-type']).toContain('application/problem+json');
  expect(json(answer.text)).toMatchObject({ error: 'not_found', retryable: false });
  expect((await server.get('/api/v1/results/x/stream')).status).toBe(404);
  expect((await server.get('/api/v1/results/x/voted')).status).toBe(404);
});

test('nothing is answered before both topics were read', async () => {
  server.caughtUp = false;
  for (const address of [path, `${path}/voted`, `${path}/stream`]) {
    const answer = await server.get(address);
    expect(answer.status, address).toBe(503);
    expect(json(answer.text)).toMatchObject({ error: 'not_ready', retryable: true });
    expect(Number(answer.headers['retry-after'])).toBeGreaterThanOrEqual(1);
    expect(answer.headers['cache-control']).toMatch(/no-store/);
  }
});

test('only the edge is answered, under both prefixes, and only by GET', async () => {
  expect((await server.get(path, { 'x-origin-secret': 'guess' })).status).toBe(403);
  expect((await server.get(`/r/home${path}`)).status).toBe(200);
  const answer = await fetch(`http://127.0.0.1:${server.port}${path}`, {
    method: 'POST',
    headers: { 'x-origin-secret': 'a-secret-of-the-edge' },
  });
  expect(answer.status).toBe(405);
  expect(await answer.json()).toMatchObject({ error: 'method_not_allowed' });
  const head = await fetch(`http://127.0.0.1:${server.port}${path}/stream`, {
    method: 'HEAD',
    headers: { 'x-origin-secret': 'a-secret-of-the-edge' },
  });
  expect(head.status).toBe(200);
  expect(head.headers.get('content-type')).toContain('text/event-stream');
});

test('who shows a receipt of the session sees counts that are for voters', async () => {
  server.tellSession(aSession({ version: 2, results_policy: 'after_vote' }));
  server.tell(totalsAt(3, [1, 2, 0]));
  const hidden = snapshotAnswer.parse(json((await server.get(path)).text));
  expect(hidden).toMatchObject({ hidden: true, total_votes: 3 });
  const shown = await server.get(`${path}/voted`, { 'vote-proof': aReceipt() });
  expect(shown.headers['cache-control']).toBe('private, no-store');
  expect(json(shown.text)).toMatchObject({ hidden: false, options: [{ vote_count: 1 }, {}, {}] });
});

test.each([
  ['none', {}],
  ['of another session', { 'vote-proof': aReceipt(otherSessionId) }],
  ['forged', { 'vote-proof': `${aReceipt().slice(0, -8)}AAAAAAAA` }],
  ['no receipt', { 'vote-proof': 'a.b.c' }],
])('a proof that is %s shows nothing', async (_, headers: Record<string, string>) => {
  server.tellSession(aSession({ version: 2, results_policy: 'after_vote' }));
  const answer = await server.get(`${path}/voted`, headers);
  expect(answer.status).toBe(403);
  expect(json(answer.text)).toMatchObject({ error: 'forbidden' });
  expect(answer.headers['cache-control']).toBe('no-store');
  const proof = headers['vote-proof'];
  if (proof === undefined) return;
  expect((await server.get(`${path}/stream?proof=${encodeURIComponent(proof)}`)).status).toBe(403);
});

test('a stream begins with the snapshot and goes on with an event for each option that changed', async () => {
  server.tell(totalsAt(1, [1, 0, 0]));
  const stream = await server.stream(`${path}/stream`);
  expect(stream.status).toBe(200);
  expect(stream.response.headers['content-type']).toBe('text/event-stream; charset=utf-8');
  expect(stream.response.headers['cache-control']).toBe('no-store, no-transform');
  const [snapshot] = await stream.events(1);
  expect(snapshot).toMatchObject({ event: 'snapshot', lastEventId: String(2 ** 40 + 1) });
  expect(snapshotAnswer.parse(json(snapshot!.data))).toMatchObject({ total_votes: 1 });
  expect(stream.parser.retryMs).toBe(3500);

  server.tell(totalsAt(9, [4, 0, 2]));
  const [, first, second] = await stream.events(3);
  expect(voteUpdate.parse(json(first!.data))).toEqual({
    type: 'vote_update',
    session_id: sessionId,
    option_id: 'a',
    new_count: 4,
    total_votes: 6,
    timestamp: '2026-01-01T00:00:00.009Z',
  });
  expect(first).toMatchObject({ event: 'vote_update', lastEventId: String(2 ** 40 + 1) });
  expect(voteUpdate.parse(json(second!.data))).toMatchObject({ option_id: 'c', new_count: 2 });
  expect(second!.lastEventId).toBe(String(2 ** 40 + 9));
});

test('a compact stream gets one event a tick, with covers only when asked for', async () => {
  const compact = await server.stream(`${path}/stream?format=tick`);
  const covering = await server.stream(`${path}/stream?format=tick&covers=1`);
  await Promise.all([compact.events(1), covering.events(1)]);
  server.tell(totalsAt(4, [0, 3, 1]));
  const [, event] = await compact.events(2);
  expect(event).toMatchObject({ event: 'message', lastEventId: String(2 ** 40 + 4) });
  expect(tick.parse(json(event!.data))).toEqual({
    t: 4,
    c: [
      [1, 3],
      [2, 1],
    ],
  });
  const [, other] = await covering.events(2);
  expect(json(other!.data)).toEqual({
    t: 4,
    c: [
      [1, 3],
      [2, 1],
    ],
    covers: { home: [4, 0] },
  });
  // A record that was a duplicate moves no count, yet who waits for it must hear of it.
  server.tell(totalsAt(5, [0, 3, 1]));
  const [, , third] = await covering.events(3);
  expect(json(third!.data)).toEqual({ t: 4, c: [], covers: { home: [5, 0] } });
  expect(compact.parser.events).toHaveLength(2);
});

test.each(['format=json', 'covers=2', 'format=tick&format=tick', 'proof=', 'other=1'])(
  'a stream asked for with %s is refused',
  async (query) => {
    const answer = await server.get(`${path}/stream?${query}`);
    expect(answer.status).toBe(400);
    expect(json(answer.text)).toMatchObject({ error: 'invalid_request' });
  },
);

test('a reconnect gets a newer snapshot or nothing', async () => {
  server.tell(totalsAt(5, [5, 0, 0]));
  const behind = await server.stream(`${path}/stream`, { 'last-event-id': String(2 ** 40 + 4) });
  const level = await server.stream(`${path}/stream`, { 'last-event-id': String(2 ** 40 + 5) });
  const foreign = await server.stream(`${path}/stream`, { 'last-event-id': 'abc' });
  await Promise.all([behind.events(1), foreign.events(1)]);
  await until(() => level.parser.retryMs !== undefined, 'the retry hint');
  expect(level.parser.events).toEqual([]);
  server.tell(totalsAt(6, [6, 0, 0]));
  const [event] = await level.events(1);
  expect(event!.event).toBe('vote_update');
});

test('counts that come into sight at closing reach open streams and those that connect again', async () => {
  server.tellSession(aSession({ version: 2, results_policy: 'after_close' }));
  server.tell(totalsAt(3, null));
  const stream = await server.stream(`${path}/stream?format=tick`);
  const [first] = await stream.events(1);
  expect(json(first!.data)).toMatchObject({ hidden: true, state: 'open' });
  server.nowMs = closesAtMs;
  server.results.broadcaster.sweep();
  const [, closed] = await stream.events(2);
  expect(json(closed!.data)).toMatchObject({ hidden: true, state: 'closed' });
  server.tell(totalsAt(3, [1, 2, 0]));
  const [, , shown] = await stream.events(3);
  expect(shown!.event).toBe('snapshot');
  expect(json(shown!.data)).toMatchObject({ hidden: false, total_votes: 3 });
  const again = await server.stream(`${path}/stream`, { 'last-event-id': String(2 ** 40 + 3) });
  const [snapshot] = await again.events(1);
  expect(json(snapshot!.data)).toMatchObject({ hidden: false });
});

test('a stream opened while draining is sent elsewhere', async () => {
  server.draining = true;
  const answer = await server.get(`${path}/stream`);
  expect(answer.status).toBe(503);
  expect(answer.headers['retry-after']).toBeDefined();
});
