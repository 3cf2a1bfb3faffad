import { expect, test } from 'vitest';
import { MINUTE_MS, systemClock } from '#common/clock.ts';
import type { ServiceError } from '#common/errors.ts';
import { Tries } from '../../../../regional-core/records/vote-state/tries.ts';

function startTries() {
  let nowMs = 1000;
  const tries = new Tries({ ...systemClock, monotonicMs: () => nowMs }, 10);
  const refusal = (voteId: string): ServiceError | undefined => {
    try {
      tries.count(voteId);
      return undefined;
    } catch (error) {
      return error as ServiceError;
    }
  };
  const pass = (ms: number): void => {
    nowMs += ms;
  };
  return { refusal, pass };
}

test('ten tries a minute, the eleventh is told how long to wait', () => {
  const { refusal, pass } = startTries();
  for (let tried = 0; tried < 10; tried++) expect(refusal('a')).toBeUndefined();
  pass(20_500);
  expect(refusal('a')).toMatchObject({ code: 'rate_limit_exceeded', retryAfterS: 40 });
});

test('tries of one vote are not those of another', () => {
  const { refusal } = startTries();
  for (let tried = 0; tried < 10; tried++) refusal('a');
  expect(refusal('b')).toBeUndefined();
});

test('after the minute they begin anew', () => {
  const { refusal, pass } = startTries();
  for (let tried = 0; tried < 11; tried++) refusal('a');
  pass(MINUTE_MS);
  for (let tried = 0; tried < 10; tried++) expect(refusal('a')).toBeUndefined();
  expect(refusal('a')?.code).toBe('rate_limit_exceeded');
});

test('past 100,000 votes the oldest is forgotten, the newest kept', () => {
  const { refusal } = startTries();
  for (let tried = 0; tried < 10; tried++) refusal('oldest');
  for (let vote = 0; vote < 99_999; vote++) refusal(`vote ${vote}`);
  expect(refusal('oldest')?.code).toBe('rate_limit_exceeded');
  for (let tried = 0; tried < 10; tried++) refusal('newest');
  expect(refusal('oldest')).toBeUndefined();
  expect(refusal('newest')?.code).toBe('rate_limit_exceeded');
});
