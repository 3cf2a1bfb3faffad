import { createHash, randomUUID } from 'node:crypto';
import type { Router } from '@koa/router';
import type { z } from 'zod';
import type { Db } from '#common/copies.ts';
import { ServiceError } from '#common/errors.ts';
import { readJson } from '#common/http.ts';
import { uuidV8 } from '#common/uuid.ts';
import type { FieldFault } from '../../form.ts';
import { invalidForm, parseForm } from '../../form.ts';
import { manageSessions } from '../../policies/sessions.ts';
import { authenticate, type Portal } from '../../portal.ts';
import { declareLogs } from '../../sql/declare-logs.ts';
import { findSession } from '../../sql/find-session.ts';
import { insertSession, type NewSession } from '../../sql/insert-session.ts';
import type { SessionRow } from '../../sql/session-row.ts';
import { unknownWhenLost } from '../../store-trouble.ts';
import { tooLong } from '../times.ts';
import { presentSession } from '../view.ts';
import { createSessionForm } from './contract.ts';
import { withOptionIds } from './option-ids.ts';

/** 100 options with labels of 200 characters of four bytes, and room. */
const bodyBytesMax = 128 * 1024;

/** POST /sessions: a scheduled session, or an open one when its opening time has come. */
export function addCreateSession(router: Router, portal: Portal): void {
  router.post('/sessions', async (context) => {
    const admin = await authenticate(portal, context);
    const form = parseForm(createSessionForm, await readJson(context, bodyBytesMax));
    manageSessions(admin);
    const nowMs = portal.clock.now();
    const faults = timeFaults(form, nowMs);
    if (faults.length > 0) throw invalidForm(faults);
    const named = withOptionIds(form.options);
    if ('twice' in named) {
      throw invalidForm([{ field: 'options', message: `have the id ${named.twice} twice` }]);
    }
    const session = {
      session_id: sessionIdOf(admin.adminId, context.get('idempotency-key')),
      title: form.title,
      options: named.options,
      opens_at: form.opens_at,
      closes_at: form.closes_at,
      eligibility: form.eligibility.map(({ policy }) => policy),
      results_policy: form.results_policy,
      created_by: admin.adminId,
    };
    const row = await portal.copies.write((db) => create(portal, db, session));
    context.status = 201;
    context.set('location', `/admin/api/v1/sessions/${row.session_id}`);
    context.body = presentSession(row, nowMs);
  });
}

/**
 * With a key of the client's, the same request again names the same session: after a lost answer
 * it is asked for again, and made once.
 */
function sessionIdOf(adminId: string, key: string): string {
  if (key === '') return randomUUID();
  return uuidV8(createHash('sha256').update(`session/v1:${adminId}:${key}`).digest());
}

async function create(portal: Portal, db: Db, session: NewSession): Promise<SessionRow> {
  // Before it, so that a database that has the session knows which logs it must wait for.
  await unknownWhenLost(declareLogs(db, portal.logs));
  const made = await unknownWhenLost(insertSession(db, session));
  if (made === undefined) {
    const standing = await findSession(db, session.session_id);
    if (standing !== undefined && isSameText(standing, session)) return standing;
    throw new ServiceError('session_conflict', {
      message: 'This Idempotency-Key has made another session.',
    });
  }
  portal.metrics.sessionChanges.inc({ change: 'create' });
  portal.log.info(
    {
      change: 'create',
      session_id: made.session_id,
      version: made.version,
      opens_at: made.opens_at,
      closes_at: made.closes_at,
      admin_id: session.created_by,
    },
    'session changed',
  );
  return made;
}

/** Times may have moved since: opening and closing move them. */
function isSameText(standing: SessionRow, asked: NewSession): boolean {
  const text = ({ title, options, eligibility, results_policy }: SessionRow | NewSession): string =>
    JSON.stringify([
      title,
      options.map(({ option_id, label }) => [option_id, label]),
      eligibility,
      results_policy,
    ]);
  return text(standing) === text(asked);
}

function timeFaults(form: z.output<typeof createSessionForm>, nowMs: number): FieldFault[] {
  const times = { opensAtMs: form.opens_at.getTime(), closesAtMs: form.closes_at.getTime() };
  if (times.closesAtMs <= times.opensAtMs) {
    return [{ field: 'closes_at', message: 'must be after opens_at' }];
  }
  if (times.closesAtMs <= nowMs) return [{ field: 'closes_at', message: 'must not be past' }];
  // What lies behind us takes no votes: a session that opens in the past opens now.
  const fault = tooLong({ ...times, opensAtMs: Math.max(times.opensAtMs, nowMs) });
  return fault === undefined ? [] : [{ field: 'closes_at', message: fault }];
}
