import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readAnswer } from '../../voter-web/api.ts';

function read(status: number, text: string, headers: Record<string, string> = {}) {
  return readAnswer(status, new Headers(headers), text);
}

describe('reading an answer', () => {
  test('an error in our shape keeps its code, reference and wait', () => {
    const text = '{"error":"overloaded","message":"M","request_id":"r1","retryable":true}';
    expect(read(503, text, { 'retry-after': '2' })).toEqual({
      kind: 'problem',
      problem: {
        status: 503,
        error: 'overloaded',
        message: 'M',
        requestId: 'r1',
        retryable: true,
        retryAfterS: 2,
        members: JSON.parse(text),
      },
    });
  });

  test('a challenge by WAF is one whatever its status and body', () => {
    for (const status of [200, 201, 202, 403, 405]) {
      const answer = read(status, '{"vote_id":"v"}', { 'x-amzn-waf-action': 'captcha' });
      expect(answer.kind).toBe('challenge');
    }
  });

  test('an error page of a proxy is a problem with the edge’s reference', () => {
    const answer = read(502, '<html>Bad gateway</html>', { 'x-amz-cf-id': 'edge-1' });
    expect(answer).toMatchObject({
      kind: 'problem',
      problem: { status: 502, error: 'unreadable', requestId: 'edge-1', retryable: true },
    });
  });

  test('a success that is not JSON is no answer: a sign-in page is not a receipt', () => {
    expect(read(200, '<html>Welcome to the hotel</html>')).toEqual({ kind: 'none' });
    expect(read(201, '')).toEqual({ kind: 'none' });
    expect(read(204, '')).toMatchObject({ kind: 'ok' });
  });

  test('nothing that a server can send makes it throw, and only 2xx is ever ok', () => {
    const status = fc.integer({ min: 200, max: 599 });
    fc.assert(
      fc.property(status, fc.oneof(fc.string(), fc.json()), fc.string(), (code, text, wait) => {
        const headers = { get: (name: string) => (name === 'retry-after' ? wait : null) };
        const answer = readAnswer(code, headers, text);
        if (answer.kind === 'ok') expect(code).toBeLessThan(300);
        if (answer.kind !== 'problem') return;
        const { retryAfterS } = answer.problem;
        expect(retryAfterS === null || retryAfterS >= 0).toBe(true);
      }),
    );
  });
});
