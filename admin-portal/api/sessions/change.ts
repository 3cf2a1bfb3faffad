import type { Context } from 'koa';
import { ServiceError } from '#common/errors.ts';
import { isUuid } from '#common/uuid.ts';
import { manageSessions } from '../policies/sessions.ts';
import { authenticate, type Portal } from '../portal.ts';
import { findSession } from '../sql/find-session.ts';
import type { SessionRow } from '../sql/session-row.ts';
import { updateSessionTimes } from '../sql/update-session-times.ts';
import { unknownWhenLost } from '../store-trouble.ts';
import type { SessionAnswer } from './contract.ts';
import type { SessionTimes, TimesDecision } from './times.ts';
import { presentSession } from './view.ts';

/** How often a change is decided anew because somebody else's came between. */
const roundsMax = 3;

/** The session that the address names. Throws `not_found`. */
export async function sessionOf(portal: Portal, sessionId: string): Promise<SessionRow> {
  const row = isUuid(sessionId) ? await findSession(portal.pool, sessionId) : undefined;
  if (row === undefined) {
    throw new ServiceError('not_found', { message: 'There is no such session.' });
  }
  return row;
}

/**
 * Reads, decides, writes if nothing came between, and answers the session as it is then. Throws
 * `session_conflict` with the decision's reason.
 */
export async function changeTimes(
  portal: Portal,
  context: Context,
  request: {
    readonly sessionId: string;
    readonly change: 'open' | 'close';
    readonly decide: (times: SessionTimes, nowMs: number) => TimesDecision;
  },
): Promise<SessionAnswer> {
  const admin = await authenticate(portal, context);
  manageSessions(admin);
  for (let round = 0; round < roundsMax; round++) {
    const row = await sessionOf(portal, request.sessionId);
    const nowMs = portal.clock.now();
    const times = { opensAtMs: row.opens_at.getTime(), closesAtMs: row.closes_at.getTime() };
    const decision = request.decide(times, nowMs);
    if ('refused' in decision) {
      const state = presentSession(row, nowMs).state;
      throw new ServiceError('session_conflict', { message: decision.refused, members: { state } });
    }
    if ('unchanged' in decision) return presentSession(row, nowMs);
    const changed = await unknownWhenLost(updateSessionTimes(portal.pool, row, decision.change));
    if (changed === undefined) continue;
    const answer = presentSession(changed, nowMs);
    const { session_id, version, opens_at, closes_at } = answer;
    portal.metrics.sessionChanges.inc({ change: request.change });
    portal.log.info(
      { change: request.change, session_id, version, opens_at, closes_at, admin_id: admin.adminId },
      'session changed',
    );
    return answer;
  }
  throw new ServiceError('session_conflict', {
    message: 'Others are changing this session right now; look at it again.',
  });
}
