import { DAY_MS, toTimestamp } from '#common/clock.ts';
import { sessionChangeAheadMs } from '#common/contracts/session.ts';
import { voteLogRetentionMs } from '#common/contracts/topics.ts';
import type { SessionRow } from '../sql/session-row.ts';
import type { Decision } from './change.ts';

/** When a session takes votes, ms since the epoch. */
export interface SessionTimes {
  readonly opensAtMs: number;
  readonly closesAtMs: number;
}

export function timesOf(row: Pick<SessionRow, 'opens_at' | 'closes_at'>): SessionTimes {
  return { opensAtMs: row.opens_at.getTime(), closesAtMs: row.closes_at.getTime() };
}

/** A day is left to count, recount and finalise before the log begins to drop its first votes. */
export const sessionMsMax = voteLogRetentionMs - DAY_MS;

/** Why a session may not be this long; undefined when it may. */
export function tooLong({ opensAtMs, closesAtMs }: SessionTimes): string | undefined {
  if (closesAtMs - opensAtMs <= sessionMsMax) return undefined;
  const days = (ms: number): number => Math.floor(ms / DAY_MS);
  return (
    `must be at most ${days(sessionMsMax)} days after opening: votes stay in the log for ` +
    `${days(voteLogRetentionMs)} days, and the result must be final before the first ones leave it`
  );
}

/** Opening now. An open one stays as it is: asking again after a lost answer is safe. */
export function decideOpening(times: SessionTimes, nowMs: number): Decision<SessionTimes> {
  if (nowMs >= times.closesAtMs) {
    return { refused: `The session closed at ${toTimestamp(times.closesAtMs)}.` };
  }
  if (nowMs >= times.opensAtMs) return { unchanged: true };
  const change = { opensAtMs: nowMs, closesAtMs: times.closesAtMs };
  const long = tooLong(change);
  return long === undefined ? { change } : { refused: `The closing time ${long}.` };
}

/**
 * Closing, `sessionChangeAheadMs` from now: every region hears of it before it is in force, so that
 * no two of them disagree about which votes were in time.
 */
export function decideClosing(times: SessionTimes, nowMs: number): Decision<SessionTimes> {
  const closesAtMs = nowMs + sessionChangeAheadMs;
  if (nowMs < times.opensAtMs) return { refused: 'The session is not open yet.' };
  // Closed, or closing at least as soon: asking again after a lost answer is safe.
  if (times.closesAtMs <= closesAtMs) return { unchanged: true };
  return { change: { opensAtMs: times.opensAtMs, closesAtMs } };
}
