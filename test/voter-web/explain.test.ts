import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { errorTable } from '../../regional-core/common/errors.ts';
import type { Problem } from '../../voter-web/api.ts';
import { explain } from '../../voter-web/explain.ts';
import { type Catalogue, speech } from '../../voter-web/i18n.ts';

const path = join(import.meta.dirname, '../../voter-web/locales/en.json');
const english = speech('en', JSON.parse(readFileSync(path, 'utf8')) as Catalogue, 'en', 'UTC');

function problem(error: string, more: Partial<Problem> = {}): Problem {
  return {
    status: 400,
    error,
    message: '',
    requestId: 'r1',
    retryable: false,
    retryAfterS: null,
    members: {},
    ...more,
  };
}

describe('putting an error into words', () => {
  test('every error says what became of the vote, why, what to do and what to quote', () => {
    for (const code of [...Object.keys(errorTable), 'no_answer', 'unreadable', 'a_new_code']) {
      for (const standing of ['not-voted', 'refused', 'unknown'] as const) {
        const told = explain(problem(code), standing, english);
        for (const part of [told.vote, told.reason, told.todo]) {
          expect(part, code).toMatch(/\w.*[.]/);
          expect(part, code).not.toMatch(/^(vote|error|todo)\.|\{/);
        }
        expect(told.requestId).toBe('r1');
      }
    }
  });

  test('a code that the page does not know is told by the server’s sentence', () => {
    const told = explain(
      problem('a_new_code', { message: 'The hall is full.' }),
      'refused',
      english,
    );
    expect(told.reason).toBe('The hall is full.');
  });

  test('a vote that is not open says when it opens', () => {
    const members = { opens_at: '2026-11-22T20:00:00.000Z' };
    const told = explain(problem('session_not_open', { members }), 'refused', english);
    expect(told.reason).toContain('November 22, 2026 at 8:00 PM UTC');
  });

  test('a wait asked for by the server is told', () => {
    const busy = problem('overloaded', { retryable: true, retryAfterS: 3 });
    expect(explain(busy, 'not-voted', english).todo).toBe('Try again in 3 seconds.');
  });

  test('nobody is asked to quote a reference that is not there', () => {
    const told = explain(problem('unreadable', { requestId: null }), 'refused', english);
    expect(told.todo).not.toContain('reference');
  });
});
