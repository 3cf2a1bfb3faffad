import { randomUUID } from 'node:crypto';
import { HOUR_MS, MINUTE_MS } from '#common/clock.ts';
import type { SessionMessage } from '#common/contracts/session.ts';

/** A session as the publisher tells it, open now; tea or coffee. */
export function sessionMessage(changes: Partial<SessionMessage> = {}): SessionMessage {
  const nowMs = Date.now();
  return {
    type: 'session',
    v: 1,
    epoch: 1,
    version: 1,
    session_id: randomUUID(),
    session_no: 1,
    title: 'A session',
    options: [
      { option_id: 'tea', label: 'Tea' },
      { option_id: 'coffee', label: 'Coffee' },
    ],
    opens_at_ms: nowMs - MINUTE_MS,
    closes_at_ms: nowMs + HOUR_MS,
    eligibility: ['code'],
    results_policy: 'live',
    released_at_ms: null,
    ...changes,
  };
}
