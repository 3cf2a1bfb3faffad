import { describe, expect, test } from 'vitest';
import { judgeAnswer, judgeSilence, waitAfter } from './attempt.ts';
import type { Answer } from './response.ts';

const answer = (status: number, problem: object | string, retryAfterS?: number): Answer => ({
  status,
  retryAfterS,
  body: typeof problem === 'string' ? problem : JSON.stringify(problem),
  keepsAlive: true,
});

describe('an attempt', () => {
  test('is accepted with a 201 alone', () => {
    expect(judgeAnswer(answer(201, {}))).toEqual({ kind: 'accepted' });
    expect(judgeAnswer(answer(200, {})).kind).toBe('refused');
  });

  test('is refused by a 4xx that is not retryable', () => {
    const closed = { error: 'session_closed', retryable: false };
    expect(judgeAnswer(answer(410, closed))).toEqual({
      kind: 'refused',
      code: 'session_closed',
    });
  });

  test('is made again after the Retry-After of a 503, and may be recorded', () => {
    const unknown = { error: 'outcome_unknown', retryable: true };
    expect(judgeAnswer(answer(503, unknown, 2))).toEqual({
      kind: 'again',
      code: 'outcome_unknown',
      askedMs: 2_000,
      mayBeRecorded: true,
    });
    expect(judgeAnswer(answer(503, unknown, 3_600))).toMatchObject({ askedMs: 120_000 });
  });

  test('is made again after a retryable 4xx, which has recorded nothing', () => {
    const limited = { error: 'rate_limit_exceeded', retryable: true };
    expect(judgeAnswer(answer(429, limited, 1))).toMatchObject({
      kind: 'again',
      mayBeRecorded: false,
    });
  });

  test('is made again when CloudFront answers with a page of its own', () => {
    expect(judgeAnswer(answer(504, '<html>'))).toMatchObject({
      kind: 'again',
      code: 'http_504',
      mayBeRecorded: true,
    });
  });

  test('may be recorded when no answer came', () => {
    expect(judgeSilence('timeout')).toMatchObject({ code: 'timeout', mayBeRecorded: true });
  });

  test('is followed at once by one in the next region, and then by 1 s doubling to 30 s', () => {
    expect(waitAfter(undefined, 1, 2, 0)).toBe(0);
    expect(waitAfter(undefined, 2, 2, 0)).toBe(1_000);
    expect(waitAfter(undefined, 3, 1, 0)).toBe(4_000);
    expect(waitAfter(undefined, 50, 1, 0)).toBe(30_000);
  });

  test('waits as long as it is asked to, and longer the more often it was turned away', () => {
    expect(waitAfter(7_000, 1, 2, 0)).toBe(7_000);
    expect(waitAfter(1_000, 4, 1, 0)).toBe(8_000);
  });
});
