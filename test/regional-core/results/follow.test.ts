import { expect, test } from 'vitest';
import type { TopicFollower } from '#common/follow-topic.ts';
import { isCaughtUp, notReadyReasons } from '../../../regional-core/results/follow.ts';

function follower(behindMs: number): TopicFollower {
  const caughtUp = Number.isFinite(behindMs);
  return { caughtUp: () => caughtUp, behindMs: () => behindMs, close: () => Promise.resolve() };
}

const followers = (totalsMs: number, sessionsMs: number) => ({
  'vote-aggregated': follower(totalsMs),
  sessions: follower(sessionsMs),
});

test('a process is ready while both topics are read and heard of', () => {
  expect(notReadyReasons(followers(200, 500))).toEqual([]);
  expect(isCaughtUp(followers(200, 500))).toBe(true);
});

test('a process that has not read a topic to its end is not ready and answers nothing', () => {
  const one = followers(200, Number.POSITIVE_INFINITY);
  expect(notReadyReasons(one)).toEqual(['sessions has not been read to its end yet']);
  expect(isCaughtUp(one)).toBe(false);
});

test('when Kafka is away the process gets no new viewers, and goes on answering', () => {
  const away = followers(5001.4, 60_000);
  expect(notReadyReasons(away)).toEqual([
    'vote-aggregated was last heard of 5001 ms ago',
    'sessions was last heard of 60000 ms ago',
  ]);
  expect(isCaughtUp(away)).toBe(true);
});
