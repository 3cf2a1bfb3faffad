import { describe, expect, test } from 'vitest';
import { judgeAnswer, judgeSilence } from './attempt.ts';
import type { Answer } from './response.ts';

const answer = (status: number, problem: object | string, retryAfterS?: number): Answer => ({
  status,
  retryAfterS,
  body: typeof problem === 'string' ? problem : JSON.stringify(problem),
  keepsAlive: true,
});

describe('an attempt', () => {
  test('is accepted with a 201 alone', () => {
    expect(judgeAnswer(answer(201, {}), 0, 0)).toEqual({ kind: 'accepted' });
    expect(judgeAnswer(answer(200, {}), 0, 0).kind).toBe('refused');
  });

  test('is refused by a 4xx that is not retryable', () => {
    const closed = { error: 'session_closed', retryable: false };
    expect(judgeAnswer(answer(410, closed), 0, 0)).toEqual({
      kind: 'refused',
      code: 'session_closed',
    });
  });

  test('is made again after the Retry-After of a 503, at most 5 s, and may be recorded', () => {
    const unknown = { error: 'outcome_unknown', retryable: true };
    expect(judgeAnswer(answer(503, unknown, 2), 0, 0)).toEqual({
      kind: 'again',
      code: 'outcome_unknown',
      waitMs: 2_000,
      mayBeRecorded: true,
    });
    expect(judgeAnswer(answer(503, unknown, 3_600), 0, 0)).toMatchObject({ waitMs: 5_000 });
  });

  test('is made again after a retryable 4xx, which has recorded nothing', () => {
    const limited = { error: 'rate_limit_exceeded', retryable: true };
    expect(judgeAnswer(answer(429, limited, 1), 0, 0)).toMatchObject({
      kind: 'again',
      mayBeRecorded: false,
    });
  });

  test('is made again when CloudFront answers with a page of its own', () => {
    expect(judgeAnswer(answer(504, '<html>'), 0, 0)).toMatchObject({
      kind: 'again',
      code: 'http_504',
      mayBeRecorded: true,
    });
  });

  test('backs off from 200 ms to 4 s, spread over the upper half', () => {
    expect(judgeSilence('network', 0, 0)).toMatchObject({ waitMs: 100, mayBeRecorded: true });
    expect(judgeSilence('network', 0, 1)).toMatchObject({ waitMs: 200 });
    expect(judgeSilence('network', 30, 1)).toMatchObject({ waitMs: 4_000 });
  });
});
