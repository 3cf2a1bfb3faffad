import type { Context } from 'koa';
import type { Db } from '#common/copies.ts';
import { ServiceError } from '#common/errors.ts';
import { isUuid } from '#common/uuid.ts';
import type { Admin } from '../logins.ts';
import { manageSessions } from '../policies/sessions.ts';
import { authenticate, type Portal } from '../portal.ts';
import { findSession } from '../sql/find-session.ts';
import type { SessionRow } from '../sql/session-row.ts';
import { unknownWhenLost } from '../store-trouble.ts';
import type { SessionAnswer } from './contract.ts';
import { presentSession } from './view.ts';

/** What an admin's wish means for a session; a refusal is a sentence for the admin. */
export type Decision<Change> =
  | { readonly change: Change }
  | { readonly unchanged: true }
  | { readonly refused: string };

/** A change as its route describes it. `decide` is pure and may be asked up to three times. */
export interface ChangeRequest<Change> {
  readonly sessionId: string;
  readonly change: 'open' | 'close' | 'release';
  readonly decide: (row: SessionRow, nowMs: number) => Decision<Change>;
  /** Undefined, with nothing changed, when the session has another version than `read` by now. */
  readonly write: (db: Db, read: SessionRow, change: Change) => Promise<SessionRow | undefined>;
}

/** How often a change is decided anew because somebody else's came between. */
const roundsMax = 3;

/** The session that the address names. Throws `not_found`. */
export async function sessionOf(db: Db, sessionId: string): Promise<SessionRow> {
  const row = isUuid(sessionId) ? await findSession(db, sessionId) : undefined;
  if (row === undefined) {
    throw new ServiceError('not_found', { message: 'There is no such session.' });
  }
  return row;
}

/**
 * Reads, decides, writes if nothing came between, and answers the session as it is then. Throws
 * `session_conflict` with the decision's reason.
 */
export async function changeSession<Change>(
  portal: Portal,
  context: Context,
  request: ChangeRequest<Change>,
): Promise<SessionAnswer> {
  const admin = await authenticate(portal, context);
  manageSessions(admin);
  return portal.copies.write((db) => decideAndWrite(portal, db, admin, request));
}

async function decideAndWrite<Change>(
  portal: Portal,
  db: Db,
  admin: Admin,
  request: ChangeRequest<Change>,
): Promise<SessionAnswer> {
  for (let round = 0; round < roundsMax; round++) {
    const row = await sessionOf(db, request.sessionId);
    const nowMs = portal.clock.now();
    const decision = request.decide(row, nowMs);
    if ('refused' in decision) {
      const state = presentSession(row, nowMs).state;
      throw new ServiceError('session_conflict', { message: decision.refused, members: { state } });
    }
    if ('unchanged' in decision) return presentSession(row, nowMs);
    const changed = await unknownWhenLost(request.write(db, row, decision.change));
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
