import { describe, expect, test } from 'vitest';
import type { Answer, ApiRequest } from '../../voter-web/api.ts';
import { type KeptVote, readKeptVote, type TextStore } from '../../voter-web/kept-vote.ts';
import { type SendWorld, sendVote } from '../../voter-web/send-vote.ts';
import type { Ballot } from '../../voter-web/session.ts';
import { memoryStore, token } from './fixtures.ts';

const ballot: Ballot = {
  ballot_token: token({ vote_id: 'v1' }),
  session_id: 's1',
  options: [],
  closes_at: '',
  regions: [
    { name: 'a', url: 'http://edge/r/a' },
    { name: 'b', url: 'http://edge/r/b' },
  ],
  expiresAtMs: 0,
};
const recorded: Answer = {
  kind: 'ok',
  status: 201,
  body: {
    vote_id: 'v1',
    timestamp: '2026-11-22T20:00:00.000Z',
    confirmation_code: 'AAAAA-BBBBB',
    receipt: 'a.b.c',
  },
};
const refusal = (status: number, error: string, members: Record<string, unknown> = {}): Answer => ({
  kind: 'problem',
  problem: {
    status,
    error,
    message: '',
    requestId: 'r1',
    retryable: false,
    retryAfterS: null,
    members,
  },
});

const state = (status: string): Answer => ({
  kind: 'ok',
  status: 200,
  body: {
    status,
    confirmation_code: 'CCCCC-DDDDD',
    accepted_at: '2026-01-01T00:00:00Z',
  },
});

type Sent = { url: string; request: ApiRequest; keptThen: KeptVote | null };

/** A world that gives these answers one after the other, and remembers what it was asked. */
function worldOf(answers: Answer[], store: TextStore, more: Partial<SendWorld> = {}) {
  const sent: Sent[] = [];
  const world: SendWorld = {
    store,
    ask: async (url, request) => {
      sent.push({ url, request, keptThen: readKeptVote(store, 's1') });
      return answers.shift() ?? { kind: 'none' };
    },
    openBallot: async () => null,
    wait: async () => undefined,
    random: () => 0.5,
    uuid: () => 'key-1',
    alone: async (_name, work) => work(),
    onKept: () => undefined,
    onState: () => undefined,
    ...more,
  };
  return { world, sent };
}

/** Sends a vote whose answer is lost and whose retry is refused; what is asked then gets these. */
async function afterLostAnswer(store: TextStore, answers: Answer[]): Promise<Sent[]> {
  const lost: Answer[] = [{ kind: 'none' }, refusal(410, 'session_closed')];
  const { world, sent } = worldOf([...lost, ...answers], store);
  await sendVote('s1', { optionId: 'the-choice', ballot }, world);
  return sent;
}

describe('sending a vote', () => {
  test('key, choice and ballot are kept before the first request leaves', async () => {
    const { world, sent } = worldOf([recorded], memoryStore());
    await sendVote('s1', { optionId: 'o2', ballot }, world);
    expect(sent[0]?.keptThen).toEqual({
      stage: 'sending',
      idempotencyKey: 'key-1',
      optionId: 'o2',
      ballot,
    });
    expect(sent[0]?.request.headers).toEqual({
      authorization: `Bearer ${ballot.ballot_token}`,
      'idempotency-key': 'key-1',
    });
    expect(sent[0]?.request.body).toMatchObject({ session_id: 's1', option_id: 'o2' });
  });

  test('a retry goes to the next region with the same key and the same choice', async () => {
    const { world, sent } = worldOf([{ kind: 'none' }, { kind: 'none' }, recorded], memoryStore());
    await sendVote('s1', { optionId: 'o2', ballot }, world);
    expect(sent.map(({ url }) => url)).toEqual([
      'http://edge/r/a/api/v1/votes',
      'http://edge/r/b/api/v1/votes',
      'http://edge/r/a/api/v1/votes',
    ]);
    expect(new Set(sent.map(({ request }) => JSON.stringify(request))).size).toBe(1);
  });

  test('once it is recorded the choice is no longer kept', async () => {
    const store = memoryStore();
    await sendVote('s1', { optionId: 'the-choice', ballot }, worldOf([recorded], store).world);
    expect(readKeptVote(store, 's1')).toMatchObject({
      stage: 'recorded',
      voteId: 'v1',
      confirmationCode: 'AAAAA-BBBBB',
      receipt: 'a.b.c',
    });
    expect(store.getItem('vote:s1')).not.toContain('the-choice');
  });

  test('a reload goes on with what is kept, whatever is chosen then', async () => {
    const store = memoryStore();
    const cut = worldOf([], store, { wait: () => Promise.reject(new Error('page closed')) });
    await sendVote('s1', { optionId: 'o1', ballot }, cut.world).catch(() => undefined);
    const { world, sent } = worldOf([recorded], store, { uuid: () => 'key-2' });
    await sendVote('s1', { optionId: 'o2', ballot }, world);
    expect(sent).toHaveLength(1);
    expect(sent[0]?.request.body).toMatchObject({ option_id: 'o1' });
    expect(sent[0]?.request.headers).toMatchObject({ 'idempotency-key': 'key-1' });
  });

  test('a vote that has its receipt is not sent again', async () => {
    const store = memoryStore();
    await sendVote('s1', { optionId: 'o1', ballot }, worldOf([recorded], store).world);
    const { world, sent } = worldOf([recorded], store);
    await sendVote('s1', { optionId: 'o2', ballot }, world);
    expect(sent).toHaveLength(0);
  });

  test('a refusal that wrote nothing frees the choice', async () => {
    const store = memoryStore();
    const { world } = worldOf([refusal(410, 'session_closed')], store);
    await sendVote('s1', { optionId: 'o1', ballot }, world);
    expect(readKeptVote(store, 's1')).toBeNull();
  });

  test('another recorded vote is kept with its id and time', async () => {
    const store = memoryStore();
    const members = { existing_vote_id: 'v1', timestamp: '2026-11-22T19:00:00.000Z' };
    const { world } = worldOf([refusal(409, 'duplicate_vote', members)], store);
    await sendVote('s1', { optionId: 'o1', ballot }, world);
    expect(readKeptVote(store, 's1')).toMatchObject({
      stage: 'duplicate',
      voteId: 'v1',
      acceptedAt: '2026-11-22T19:00:00.000Z',
    });
  });

  test('a refusal after a lost answer asks for the state of the vote and finds one', async () => {
    const store = memoryStore();
    const found = await afterLostAnswer(store, [
      refusal(404, 'not_recorded_yet'),
      state('counted'),
    ]);
    expect(found.at(-1)?.url).toBe('/api/v1/votes/v1');
    expect(readKeptVote(store, 's1')).toMatchObject({
      stage: 'recorded',
      confirmationCode: 'CCCCC-DDDDD',
      acceptedAt: '2026-01-01T00:00:00Z',
      receipt: null,
    });
    expect(store.getItem('vote:s1')).not.toContain('the-choice');
  });

  test('a vote found by its state is not told as the choice sent here', async () => {
    // The row may be that of an earlier choice on another device: its code proves nothing here.
    const store = memoryStore();
    await afterLostAnswer(store, [state('counted')]);
    expect(readKeptVote(store, 's1')).toMatchObject({ count: 'one-of-yours', ballotToken: null });
  });

  test.each(['late', 'quarantined', 'void'])('a vote found %s is told as that', async (status) => {
    const store = memoryStore();
    await afterLostAnswer(store, [state(status)]);
    expect(readKeptVote(store, 's1')).toMatchObject({ count: status });
  });

  test('a state that is never found keeps the choice and stops asking after ten times', async () => {
    const store = memoryStore();
    const nothing = Array.from({ length: 30 }, () => refusal(404, 'not_recorded_yet'));
    const answers: Answer[] = [{ kind: 'none' }, refusal(410, 'session_closed'), ...nothing];
    const { world, sent } = worldOf(answers, store);
    await sendVote('s1', { optionId: 'o1', ballot }, world);
    expect(sent).toHaveLength(2 + 10);
    expect(readKeptVote(store, 's1')).toMatchObject({ stage: 'sending', optionId: 'o1' });
  });

  test('an expired ballot is replaced and kept with the same choice and key', async () => {
    const store = memoryStore();
    const fresh = { ...ballot, ballot_token: token({ vote_id: 'v1', jti: 'second' }) };
    const { world, sent } = worldOf([refusal(401, 'invalid_token'), recorded], store, {
      openBallot: async () => ({ ballot: fresh }),
    });
    await sendVote('s1', { optionId: 'o1', ballot }, world);
    expect(sent[1]?.keptThen).toMatchObject({ ballot: fresh, idempotencyKey: 'key-1' });
    expect(sent[1]?.request.headers).toMatchObject({
      authorization: `Bearer ${fresh.ballot_token}`,
    });
  });
});
