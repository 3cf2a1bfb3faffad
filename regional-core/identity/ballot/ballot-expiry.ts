import { DAY_MS, HOUR_MS } from '#common/clock.ts';
import { graceMs, type SessionMessage, sessionState } from '#common/contracts/session.ts';

/**
 * When a ballot opened now ends, in seconds since the epoch: with the session (closing + grace), at
 * most a day ahead. Opened after closing it is for reading, and ends in an hour.
 */
export function ballotExpiryS(session: Times, nowMs: number): number {
  const endMs =
    sessionState(session, nowMs) === 'closed'
      ? nowMs + HOUR_MS
      : Math.min(session.closes_at_ms + graceMs, nowMs + DAY_MS);
  // Whole seconds, never more than a day: the fraction lost is well within the grace.
  return Math.floor(endMs / 1000);
}

type Times = Pick<SessionMessage, 'opens_at_ms' | 'closes_at_ms'>;
