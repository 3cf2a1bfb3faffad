import { decodeSessionsMessage, type SessionMessage } from '#common/contracts/session.ts';
import { topicName } from '#common/contracts/topics.ts';
import {
  correctionKinds,
  decodeTotalsMessage,
  type TotalsMessage,
} from '#common/contracts/vote-aggregated.ts';
import { followTopic, type TopicFollower } from '#common/follow-topic.ts';
import type { Log } from '#common/log.ts';
import type { ResultsState } from './state.ts';

export const followedTopics = ['vote-aggregated', 'sessions'] as const;
export type FollowedTopic = (typeof followedTopics)[number];
export type Followers = Readonly<Record<FollowedTopic, TopicFollower>>;

export interface FollowOptions {
  readonly brokers: readonly string[];
  readonly topicPrefix: string;
  readonly clientId: string;
  readonly log: Log;
  readonly state: ResultsState;
  readonly now: () => number;
  /** Called with each session that changed, once a message. */
  readonly onChange: (sessionId: string) => void;
  /** Called for each message that is not of a form we know: it is skipped, and counted. */
  readonly onIgnored: (topic: FollowedTopic) => void;
}

/** Behind by more than this, a process should get no new viewers. */
const behindMsMax = 5000;

/** Follows both topics into the state, from their starts, until closed. */
export function followResults(options: FollowOptions): Followers {
  const { state, now, onChange, onIgnored } = options;
  const follow = (topic: FollowedTopic, take: (value: Buffer | null) => void): TopicFollower =>
    followTopic(
      {
        brokers: options.brokers,
        clientId: options.clientId,
        topic: topicName(options.topicPrefix, topic),
        log: options.log,
      },
      (records) => {
        for (const { value } of records) take(value);
      },
    );
  return {
    'vote-aggregated': follow('vote-aggregated', (value) => {
      const message = decodeTotalsMessage(value);
      if (message === undefined || !isWhole(message)) return onIgnored('vote-aggregated');
      if (state.takeTotals(message)) onChange(message.session_id);
    }),
    sessions: follow('sessions', (value) => {
      const message = decodeSessionsMessage(value);
      if (message === undefined) return onIgnored('sessions');
      if (message.type === 'totals_stale') {
        for (const sessionId of state.takeStale(message.since_ms)) onChange(sessionId);
      }
      if (message.type !== 'session') return;
      if (!isWholeSession(message)) return onIgnored('sessions');
      if (state.takeSession(message, now())) onChange(message.session_id);
    }),
  };
}

/** Everything that stood in both topics at the start is in memory: answers can be given. */
export function isCaughtUp(followers: Followers): boolean {
  return followedTopics.every((topic) => followers[topic].caughtUp());
}

/** Why this process should get no new viewers now; those it has keep the last totals. */
export function notReadyReasons(followers: Followers): string[] {
  return followedTopics.flatMap((topic) => {
    if (!followers[topic].caughtUp()) return [`${topic} has not been read to its end yet`];
    const behindMs = Math.round(followers[topic].behindMs());
    return behindMs > behindMsMax ? [`${topic} was last heard of ${behindMs} ms ago`] : [];
  });
}

/**
 * A message that throws where it is encoded would end every process that reads it, again and again.
 */
function isWhole(message: TotalsMessage): boolean {
  const { total_votes, counts, covers, corrected, at_ms, epoch } = message;
  return (
    [total_votes, epoch].every(isCount) &&
    isTime(at_ms) &&
    (counts === null || areCounts(counts)) &&
    typeof covers === 'object' &&
    covers !== null &&
    (corrected === undefined || areCorrections(corrected)) &&
    Object.values(covers).every(areCounts)
  );
}

function isWholeSession({ options, opens_at_ms, closes_at_ms, epoch, version }: SessionMessage) {
  return (
    [epoch, version].every(isCount) &&
    [opens_at_ms, closes_at_ms].every(isTime) &&
    Array.isArray(options) &&
    options.every((option) => typeof option?.option_id === 'string' && isText(option.label))
  );
}

function areCorrections(value: unknown): boolean {
  return (
    Array.isArray(value) &&
    (value as TotalsMessage['corrected'] & object).every(
      (one) => correctionKinds.includes(one?.kind) && isTime(one.at_ms) && isCount(one.moved),
    )
  );
}

const isText = (value: unknown): boolean => typeof value === 'string';
const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;
const areCounts = (value: unknown): boolean => Array.isArray(value) && value.every(isCount);
/** ECMA-262 21.4.1.1: beyond this no Date exists. */
const isTime = (value: unknown): boolean => isCount(value) && (value as number) <= 8.64e15;
