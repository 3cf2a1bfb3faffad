import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Answer, Problem } from '../../voter-web/api.ts';
import {
  nextStep,
  retryAfterMsMax,
  type SenderEvent,
  type SenderState,
  startSending,
} from '../../voter-web/vote-sender.ts';

const receipt = {
  vote_id: 'v1',
  timestamp: '2026-11-22T20:00:00.000Z',
  confirmation_code: 'AAAAA-BBBBB',
  receipt: 'a.b.c',
};
const recorded: Answer = { kind: 'ok', status: 201, body: receipt };
const none: Answer = { kind: 'none' };

function problem(status: number, error: string, members: Partial<Problem> = {}): Answer {
  return {
    kind: 'problem',
    problem: {
      status,
      error,
      message: '',
      requestId: 'r1',
      retryable: status >= 500,
      retryAfterS: null,
      members: {},
      ...members,
    },
  };
}

const posted = (answer: Answer): SenderEvent => ({ type: 'posted', answer });

function run(events: SenderEvent[], regions = 2, resumed = false): SenderState {
  return events.reduce(
    (state, event) => nextStep(state, event, 0.5),
    startSending(regions, resumed),
  );
}

function endOf(state: SenderState): string | null {
  return state.todo.do === 'stop' ? state.todo.end.kind : null;
}

describe('the way of a vote from the page', () => {
  test('a whole receipt ends it', () => {
    expect(run([posted(recorded)]).todo).toEqual({
      do: 'stop',
      end: { kind: 'recorded', receipt },
    });
  });

  test('no answer goes on in the next region at once, and waits when all have failed', () => {
    expect(run([posted(none)]).todo).toEqual({ do: 'post', region: 1 });
    const waiting = run([posted(none), posted(none)]);
    expect(waiting.todo).toMatchObject({ do: 'wait', why: 'unreachable', next: 'post' });
    expect(nextStep(waiting, { type: 'waited' }, 0.5).todo).toEqual({ do: 'post', region: 0 });
  });

  test('a success that is not a receipt is an unknown outcome', () => {
    for (const status of [200, 201, 202, 204]) {
      const state = run([posted({ kind: 'ok', status, body: { page: 'sign in' } })]);
      expect(state.unknown).toBe(true);
      expect(state.todo).toEqual({ do: 'post', region: 1 });
    }
  });

  test('a 503 waits as long as it asks for, but never longer than two minutes', () => {
    const asked = run([posted(problem(503, 'outcome_unknown', { retryAfterS: 7 }))]);
    expect(asked.todo).toMatchObject({ do: 'wait', ms: 7000, why: 'busy' });
    const long = run([posted(problem(503, 'overloaded', { retryAfterS: 86_400 }))]);
    expect(long.todo).toMatchObject({ do: 'wait', ms: retryAfterMsMax });
  });

  test('a page that is turned away again and again comes back less and less often', () => {
    let state = startSending(1, false);
    const waits: number[] = [];
    for (let round = 0; round < 5; round++) {
      state = nextStep(state, posted(problem(503, 'overloaded', { retryAfterS: 2 })), 0);
      waits.push(state.todo.do === 'wait' ? state.todo.ms : 0);
      state = nextStep(state, { type: 'waited' }, 0);
    }
    expect(waits).toEqual([2000, 2000, 4000, 8000, 16_000]);
  });

  test('a 429 waits and sends again to the same region, and leaves the outcome known', () => {
    const state = run([posted(problem(429, 'rate_limit_exceeded', { retryAfterS: 3 }))]);
    expect(state).toMatchObject({ unknown: false, region: 0 });
    expect(state.todo).toMatchObject({ do: 'wait', ms: 3000, why: 'limited' });
  });

  test('a vote in progress is asked for again with the same choice', () => {
    const state = run([posted(problem(409, 'vote_in_progress'))]);
    expect(state.todo).toMatchObject({ do: 'wait', why: 'in_progress', next: 'post' });
  });

  test('another recorded choice ends it, whatever is unknown', () => {
    expect(endOf(run([posted(problem(409, 'duplicate_vote'))]))).toBe('duplicate');
    expect(endOf(run([posted(none), posted(problem(409, 'duplicate_vote'))]))).toBe('duplicate');
  });

  test('a refusal frees the choice only when no earlier outcome is unknown', () => {
    const closed = posted(problem(410, 'session_closed'));
    expect(endOf(run([closed]))).toBe('refused');
    expect(endOf(run([posted(none), closed]))).toBe('unresolved');
    expect(endOf(run([closed], 2, true))).toBe('unresolved');
  });

  test('an expired ballot is opened again once, and the vote goes on with it', () => {
    const expired = posted(problem(401, 'invalid_token'));
    const asking = run([expired]);
    expect(asking.todo).toEqual({ do: 'open-ballot' });
    const opened = nextStep(asking, { type: 'ballot-opened', regionCount: 1 }, 0);
    expect(opened.todo).toEqual({ do: 'post', region: 0 });
    expect(endOf(nextStep(opened, expired, 0))).toBe('refused');
  });

  test('without code or login the voter is asked, and the choice stays', () => {
    const asking = run([posted(problem(401, 'invalid_token'))]);
    expect(endOf(nextStep(asking, { type: 'credentials-missing' }, 0))).toBe('ballot-needed');
  });

  test('a ballot that cannot be fetched is fetched again after a wait', () => {
    const asking = run([posted(problem(401, 'invalid_token'))]);
    const waiting = nextStep(asking, { type: 'ballot-failed', answer: none }, 0);
    expect(waiting.todo).toMatchObject({ do: 'wait', next: 'open-ballot' });
    expect(nextStep(waiting, { type: 'waited' }, 0).todo).toEqual({ do: 'open-ballot' });
  });

  test('a challenge by WAF is never taken for a success or a refusal', () => {
    expect(endOf(run([posted({ kind: 'challenge', requestId: 'r1' })]))).toBe('challenge');
    expect(endOf(run([posted(problem(403, 'suspicious_activity'))]))).toBe('challenge');
  });
});

const anyAnswer: fc.Arbitrary<Answer> = fc.oneof(
  fc.constant(none),
  fc.constant(recorded),
  fc.constant<Answer>({ kind: 'challenge', requestId: null }),
  fc
    .record({
      status: fc.constantFrom(400, 401, 403, 409, 410, 422, 429, 500, 502, 503),
      error: fc.constantFrom('duplicate_vote', 'vote_in_progress', 'session_closed', 'unreadable'),
      retryAfterS: fc.option(fc.nat(100_000)),
    })
    .map(({ status, error, retryAfterS }) => problem(status, error, { retryAfterS })),
  fc
    .record({
      status: fc.integer({ min: 200, max: 299 }),
      body: fc.dictionary(fc.string(), fc.string()),
    })
    .map((ok): Answer => ({ kind: 'ok', ...ok })),
);

/** The event that answers what the machine asked for; null when it has stopped. */
function replyTo(state: SenderState, answer: Answer, missing: boolean): SenderEvent | null {
  if (state.todo.do === 'stop') return null;
  if (state.todo.do === 'wait') return { type: 'waited' };
  if (state.todo.do === 'post') return posted(answer);
  if (missing) return { type: 'credentials-missing' };
  return answer.kind === 'ok'
    ? { type: 'ballot-opened', regionCount: answer.status % 4 }
    : { type: 'ballot-failed', answer };
}

test('whatever is answered: waits are bounded, regions exist, unknown stays unknown', () => {
  const answers = fc.array(fc.tuple(anyAnswer, fc.boolean()), { maxLength: 60 });
  const random = fc.double({ min: 0, max: 0.999, noNaN: true });
  fc.assert(
    fc.property(fc.nat(4), fc.boolean(), answers, random, (regions, resumed, replies, chance) => {
      let state = startSending(regions, resumed);
      for (const [answer, missing] of replies) {
        const event = replyTo(state, answer, missing);
        if (event === null) break;
        const before = state;
        state = nextStep(state, event, chance);
        expect(state.unknown || !before.unknown).toBe(true);
        if (event.type === 'posted' && answer.kind === 'none') expect(state.unknown).toBe(true);
        const { todo } = state;
        if (todo.do === 'wait') expect(todo.ms).toBeLessThanOrEqual(retryAfterMsMax);
        if (todo.do === 'post') expect(todo.region).toBeLessThan(state.regionCount);
        // The choice is given free, or a success said, only by an answer that allows it.
        if (endOf(state) === 'refused') expect(state.unknown).toBe(false);
        if (endOf(state) === 'recorded') expect(answer).toBe(recorded);
      }
    }),
  );
});
