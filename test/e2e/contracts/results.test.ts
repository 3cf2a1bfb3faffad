import { afterEach, beforeEach, describe, expect, inject, test, vi } from 'vitest';
import { ask, expectProblem, textOf, timestamp } from '../ask.ts';
import { createSession, options, untilState } from '../sessions.ts';
import { openStream, type Stream } from '../sse.ts';
import { countRows } from '../vote-rows.ts';
import { cast, castOne, newBallot } from '../voters.ts';

const visibleMsMax = 10_000;
const nobodysSession = '00000000-0000-4000-8000-000000000000';

let sessionId: string;
const freshSession = async (): Promise<void> => {
  sessionId = await createSession();
};

const streams: Stream[] = [];
afterEach(async () => {
  await Promise.all(streams.splice(0).map((stream) => stream.close()));
});

async function follow(query = '', headers: Record<string, string> = {}): Promise<Stream> {
  const stream = await openStream(`/api/v1/results/${sessionId}/stream${query}`, headers);
  streams.push(stream);
  await vi.waitFor(() => expect(stream.events[0]?.event).toBe('snapshot'), visibleMsMax);
  return stream;
}

async function untilTotal(total: number) {
  return vi.waitFor(
    async () => {
      const answer = await ask(`/api/v1/results/${sessionId}`);
      expect(answer.body['total_votes']).toBe(total);
      return answer;
    },
    { timeout: visibleMsMax, interval: 200 },
  );
}

describe('the snapshot', () => {
  beforeEach(freshSession);

  test('has totals, shares and what they cover, and may be cached for a second', async () => {
    for (const optionId of ['delta', 'delta', 'mira']) await castOne(sessionId, optionId);
    const answer = await untilTotal(3);
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({
      session_id: sessionId,
      state: 'open',
      results_policy: 'live',
      hidden: false,
      total_votes: 3,
      options: [
        { ...options[0], vote_count: 0, percentage: 0 },
        { ...options[1], vote_count: 2, percentage: 66.67 },
        { ...options[2], vote_count: 1, percentage: 33.33 },
      ],
      last_updated: timestamp,
      stale: false,
      corrections: [],
      is_finalized: false,
      final_url: null,
      sequence: expect.any(Number),
      covers: { [inject('stack').regions[0]!.name]: expect.any(Array) },
      cache_hit: expect.any(Boolean),
    });
    const caching = answer.headers.get('cache-control');
    expect(caching).toMatch(/\bmax-age=1\b/);
    expect(caching).toContain('stale-while-revalidate');
  });

  test('covers a receipt once its vote is in the totals', async () => {
    const { token } = await newBallot(sessionId);
    const voted = await cast(token, sessionId, 'aurora');
    const payload = textOf(voted, 'receipt').split('.')[1] ?? '';
    const receipt = JSON.parse(Buffer.from(payload, 'base64url').toString());
    const { body } = await untilTotal(1);
    const covers = body['covers'] as Record<string, number[]>;
    expect(covers[receipt.region]?.[receipt.partition]).toBeGreaterThan(receipt.offset);
  });

  test('says what the tallies and the rows of the votes say', async () => {
    const wishes = ['delta', 'mira', 'delta', 'aurora', 'delta', 'mira', 'delta'];
    const ballots = await Promise.all(wishes.map(() => newBallot(sessionId)));
    const sent = wishes.map((optionId, no) => cast(ballots[no]!.token, sessionId, optionId));
    expect((await Promise.all(sent)).map(({ status }) => status)).toEqual(wishes.map(() => 201));
    const { body } = await untilTotal(wishes.length);
    const shown = (body['options'] as { option_id: string; vote_count: number }[]).map(
      ({ option_id: optionId, vote_count: count }) => ({ optionId, rows: count, tallied: count }),
    );
    expect(await countRows(sessionId)).toEqual(shown);
    expect(shown.map(({ rows }) => rows)).toEqual([1, 4, 2]);
  });

  test('of no session is not found', async () => {
    expectProblem(await ask(`/api/v1/results/${nobodysSession}`), 404, 'not_found');
    const stream = await ask(`/api/v1/results/${nobodysSession}/stream`);
    expectProblem(stream, 404, 'not_found');
  });

  test('that is not final has no final address', async () => {
    const address = `/api/v1/results/${sessionId}/final/${'d'.repeat(64)}`;
    const answer = await ask(address);
    expectProblem(answer, 404, 'not_found');
    expect(answer.headers.get('cache-control')).not.toContain('immutable');
  });
});

describe('the stream', () => {
  beforeEach(freshSession);

  test('begins with a snapshot, then has an event for each option that changed', async () => {
    const stream = await follow();
    expect(stream.status).toBe(200);
    expect(stream.headers.get('content-type')).toMatch(/^text\/event-stream/);
    expect(stream.events[0]?.data).toMatchObject({ session_id: sessionId, total_votes: 0 });
    await castOne(sessionId, 'mira');
    await vi.waitFor(() => expect(stream.events.at(-1)?.event).toBe('vote_update'), visibleMsMax);
    const update = stream.events.at(-1);
    expect(update?.data).toEqual({
      type: 'vote_update',
      session_id: sessionId,
      option_id: 'mira',
      new_count: 1,
      total_votes: 1,
      timestamp,
    });
    expect(Number(update?.id)).toBeGreaterThan(Number(stream.events[0]?.id));
  });

  test('in ticks has one compact event for all changes', async () => {
    const stream = await follow('?format=tick');
    await castOne(sessionId, 'delta');
    await vi.waitFor(
      () => expect(stream.events.at(-1)?.data).toEqual({ t: 1, c: [[1, 1]] }),
      visibleMsMax,
    );
    expect(stream.events.at(-1)?.event).toBe('message');
    const withCovers = await follow('?format=tick&covers=1');
    await castOne(sessionId, 'delta');
    await vi.waitFor(
      () =>
        expect(withCovers.events.at(-1)?.data).toEqual({
          t: 2,
          c: [[1, 2]],
          covers: { [inject('stack').regions[0]!.name]: expect.any(Array) },
        }),
      visibleMsMax,
    );
  });

  test('resumed from the latest event says nothing until something is new', async () => {
    await castOne(sessionId, 'delta');
    await untilTotal(1);
    const first = await follow();
    const id = first.events[0]?.id ?? '';
    const path = `/api/v1/results/${sessionId}/stream?format=tick`;
    const resumed = await openStream(path, { 'last-event-id': id });
    streams.push(resumed);
    await castOne(sessionId, 'mira');
    await vi.waitFor(() => expect(resumed.events).not.toEqual([]), visibleMsMax);
    expect(resumed.events[0]?.data).toEqual({ t: 2, c: [[2, 1]] });
  });
});

describe('results that are not for everybody', () => {
  test('after_vote shows counts to whoever shows a receipt', async () => {
    sessionId = await createSession({ resultsPolicy: 'after_vote' });
    const { token } = await newBallot(sessionId);
    const receipt = textOf(await cast(token, sessionId, 'mira'), 'receipt');
    const { body } = await untilTotal(1);
    const counts = (shown: unknown) =>
      (shown as { vote_count: number | null }[]).map(({ vote_count: count }) => count);
    expect(counts(body['options'])).toEqual([null, null, null]);
    const path = `/api/v1/results/${sessionId}/voted`;
    const voted = await vi.waitFor(
      async () => {
        const answer = await ask(path, { headers: { 'vote-proof': receipt } });
        expect(answer.body['total_votes']).toBe(1);
        return answer;
      },
      { timeout: visibleMsMax, interval: 100 },
    );
    expect(counts(voted.body['options'])).toEqual([0, 0, 1]);
    expect(voted.headers.get('cache-control')).toContain('no-store');
    expectProblem(await ask(path, { headers: { 'vote-proof': 'a.b.c' } }), 403, 'forbidden');
  });

  test('after_close shows counts to all from closing on', async () => {
    sessionId = await createSession({ resultsPolicy: 'after_close', closesInMs: 4000 });
    await castOne(sessionId, 'aurora');
    const before = await ask(`/api/v1/results/${sessionId}`);
    expect(before.body).toMatchObject({ state: 'open', hidden: true });
    await untilState(sessionId, 'closed', 10_000);
    await vi.waitFor(
      async () => {
        const { body } = await ask(`/api/v1/results/${sessionId}`);
        expect(body).toMatchObject({ state: 'closed', hidden: false, total_votes: 1 });
        expect(body['options']).toContainEqual({ ...options[0], vote_count: 1, percentage: 100 });
      },
      { timeout: visibleMsMax, interval: 200 },
    );
  });
});
