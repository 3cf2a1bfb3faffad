import { randomUUID } from 'node:crypto';
import type { Router } from '@koa/router';
import type { z } from 'zod';
import { readJson } from '#common/http.ts';
import type { FieldFault } from '../../form.ts';
import { invalidForm, parseForm } from '../../form.ts';
import { manageSessions } from '../../policies/sessions.ts';
import { authenticate, type Portal } from '../../portal.ts';
import { insertSession } from '../../sql/insert-session.ts';
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
      session_id: randomUUID(),
      title: form.title,
      options: named.options,
      opens_at: form.opens_at,
      closes_at: form.closes_at,
      eligibility: form.eligibility.map(({ policy }) => policy),
      results_policy: form.results_policy,
      created_by: admin.adminId,
    };
    const row = await unknownWhenLost(insertSession(portal.pool, session));
    const answer = presentSession(row, nowMs);
    const { session_id, version, opens_at, closes_at } = answer;
    portal.metrics.sessionChanges.inc({ change: 'create' });
    portal.log.info(
      { change: 'create', session_id, version, opens_at, closes_at, admin_id: admin.adminId },
      'session changed',
    );
    context.status = 201;
    context.set('location', `/admin/api/v1/sessions/${session_id}`);
    context.body = answer;
  });
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
