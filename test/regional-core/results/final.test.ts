import { afterEach, beforeEach, expect, test } from 'vitest';
import { finalAnswer, snapshotAnswer } from '../../../regional-core/results/snapshot/contract.ts';
import {
  aFinal,
  aSession,
  closesAtMs,
  json,
  opensAtMs,
  otherSessionId,
  sessionId,
  startResults,
  type TestServer,
  totalsAt,
} from './harness.ts';

const path = `/api/v1/results/${sessionId}`;
const finalPath = `${path}/final/${'d'.repeat(64)}`;
let server: TestServer;

beforeEach(async () => {
  server = await startResults();
  server.nowMs = closesAtMs + 120_000;
});

afterEach(() => server.close());

const snapshot = async () => snapshotAnswer.parse(json((await server.get(path)).text));

test('closed, being checked, final: the snapshot says which, and where the result stands', async () => {
  server.tellSession(aSession());
  server.tell(totalsAt(9, [4, 3, 2]));
  expect(await snapshot()).toMatchObject({
    state: 'closed',
    is_finalized: false,
    final_url: null,
    stale: false,
    corrections: [],
  });
  server.tellSession(aSession({ version: 2, sealed_at_ms: closesAtMs + 5000 }));
  expect(await snapshot()).toMatchObject({ state: 'sealed', is_finalized: false });
  server.tellSession(aSession({ version: 3, final: aFinal() }));
  expect(await snapshot()).toMatchObject({
    state: 'final',
    is_finalized: true,
    final_url: finalPath,
    last_updated: '2026-01-01T01:01:00.000Z',
  });
  const { headers } = await server.get(path);
  expect(headers['link']).toBe(`<${finalPath}>; rel="canonical"`);
});

test('the address of a final result says one thing for ever', async () => {
  server.tellSession(aSession({ version: 3, final: aFinal() }));
  const first = await server.get(finalPath);
  expect(first.status).toBe(200);
  expect(first.headers['cache-control']).toBe('public, max-age=31536000, immutable');
  const body = finalAnswer.parse(json(first.text));
  expect(body).toMatchObject({ title: 'The final', total_votes: 9, digest: 'd'.repeat(64) });
  expect(body.options.map(({ vote_count }) => vote_count)).toEqual([4, 3, 2]);

  // Totals that are counted again, a later version, an hour: not a byte changes.
  server.tell(totalsAt(30, [30, 0, 0]));
  server.tellSession(aSession({ version: 7, final: aFinal({ at_ms: closesAtMs }) }));
  server.nowMs += 3_600_000;
  expect((await server.get(finalPath)).text).toBe(first.text);
  expect((await server.get(`/r/home${finalPath}`)).text).toBe(first.text);
  const again = await server.get(finalPath, { 'if-none-match': first.headers.etag! });
  expect(again.status).toBe(304);
});

test.each([
  ['of another digest', `${path}/final/${'e'.repeat(64)}`],
  ['of no digest', `${path}/final/latest`],
  ['of a session nobody knows', finalPath.replace(sessionId, otherSessionId)],
])('an address %s is 404, and not kept', async (_, address) => {
  server.tellSession(aSession({ version: 3, final: aFinal() }));
  const answer = await server.get(address);
  expect(answer.status).toBe(404);
  expect(answer.headers['cache-control']).toBe('public, max-age=1');
  expect(json(answer.text)).toMatchObject({ error: 'not_found' });
});

test('a final result that is not released has no address yet', async () => {
  const kept = { results_policy: 'on_release', final: aFinal() } as const;
  server.tellSession(aSession({ version: 3, ...kept }));
  expect((await server.get(finalPath)).status).toBe(404);
  const hidden = await snapshot();
  expect(hidden).toMatchObject({ hidden: true, is_finalized: true, final_url: null });
  expect((await server.get(path)).headers['link']).toBeUndefined();
  server.tellSession(aSession({ version: 4, ...kept, released_at_ms: closesAtMs }));
  expect((await server.get(finalPath)).status).toBe(200);
});

test('counts beyond 2^31 are exact to the last vote', async () => {
  const counts = [2 ** 31 + 1, 2 ** 40 + 3, 5];
  const total = counts.reduce((sum, count) => sum + count, 0);
  server.tellSession(aSession({ version: 3, final: aFinal({ counts, total }) }));
  const body = finalAnswer.parse(json((await server.get(finalPath)).text));
  expect(body.options.map(({ vote_count }) => vote_count)).toEqual(counts);
  expect(body.total_votes).toBe(total);
});

test('totals that hold are marked in the snapshot and in open streams, until they go on', async () => {
  server.nowMs = opensAtMs + 1000;
  server.tellSession(aSession());
  server.tell(totalsAt(3, [3, 0, 0]));
  const stream = await server.stream(`${path}/stream?format=tick`);
  await stream.events(1);
  server.tellStale(server.nowMs);
  const [, marked] = await stream.events(2);
  expect(marked!.event).toBe('snapshot');
  expect(json(marked!.data)).toMatchObject({ stale: true, total_votes: 3 });
  expect(await snapshot()).toMatchObject({ stale: true });
  const again = await server.stream(`${path}/stream`, { 'last-event-id': String(2 ** 40 + 3) });
  const [snapshotAgain] = await again.events(1);
  expect(json(snapshotAgain!.data)).toMatchObject({ stale: true });
  server.tellStale(null);
  const [, , unmarked] = await stream.events(3);
  expect(json(unmarked!.data)).toMatchObject({ stale: false });
});

test('a correction that makes a count fall is listed, in the stream too', async () => {
  server.tellSession(aSession());
  server.tell(totalsAt(9, [4, 3, 2]));
  const stream = await server.stream(`${path}/stream?format=tick`);
  await stream.events(1);
  const corrected = [{ kind: 'void' as const, at_ms: closesAtMs + 1, moved: 1 }];
  server.tell(totalsAt(9, [3, 3, 2], { sequence: 2 ** 40 + 10, corrected }));
  const [, event] = await stream.events(2);
  expect(event!.event).toBe('snapshot');
  const corrections = [{ kind: 'void', at: '2026-01-01T01:00:00.001Z', moved: 1 }];
  expect(json(event!.data)).toMatchObject({ total_votes: 8, corrections });
  expect(await snapshot()).toMatchObject({ corrections });
});
