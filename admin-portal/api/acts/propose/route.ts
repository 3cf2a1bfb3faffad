import type { Router } from '@koa/router';
import { actBodyBytesMax, actHash, parseAct } from '#common/contracts/act.ts';
import { readJson } from '#common/http.ts';
import { invalidForm, parseForm } from '../../form.ts';
import { decideTogether } from '../../policies/acts.ts';
import { authenticate, type Portal } from '../../portal.ts';
import { findAct } from '../../sql/find-act.ts';
import { proposeAct } from '../../sql/propose-act.ts';
import { unknownWhenLost } from '../../store-trouble.ts';
import { asConflict } from '../refusal.ts';
import { presentAct } from '../view.ts';
import { proposalForm } from './contract.ts';

/** A body of quotes only doubles when it is written into another one. */
const bodyBytesMax = 2 * actBodyBytesMax + 1024;

/** POST /acts: an act that waits for two signatures. */
export function addProposeAct(router: Router, portal: Portal): void {
  router.post('/acts', async (context) => {
    const admin = await authenticate(portal, context);
    const { body } = parseForm(proposalForm, await readJson(context, bodyBytesMax));
    decideTogether(admin);
    const act = parseAct(body);
    if (act === undefined) {
      throw invalidForm([{ field: 'body', message: 'must be an act in its canonical form' }]);
    }
    const hash = actHash(body);
    const row = await portal.copies.write(async (db) => {
      const standing = await findAct(db, hash);
      if (standing !== undefined) return standing;
      await asConflict(unknownWhenLost(proposeAct(db, body, admin.adminId)));
      portal.metrics.acts.inc({ kind: act.act, step: 'proposed' });
      portal.log.info({ act: act.act, act_hash: hash, admin_id: admin.adminId }, 'act proposed');
      return (await findAct(db, hash))!;
    });
    context.status = 201;
    context.set('location', `/admin/api/v1/acts/${hash}`);
    context.body = presentAct(row);
  });
}
