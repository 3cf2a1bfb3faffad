import type { Router } from '@koa/router';
import { isActHash } from '#common/contracts/act.ts';
import type { Db } from '#common/copies.ts';
import { ServiceError } from '#common/errors.ts';
import { authenticate, type Portal } from '../portal.ts';
import { type ActRow, findAct } from '../sql/find-act.ts';
import { presentAct } from './view.ts';

/** GET /acts/{act_hash}. */
export function addActs(router: Router, portal: Portal): void {
  router.get('/acts/:act_hash', async (context) => {
    await authenticate(portal, context);
    context.body = presentAct(await actOf(portal.pool, context.params['act_hash']));
  });
}

/** The act that the address names. Throws `not_found`. */
export async function actOf(db: Db, hash: string | undefined): Promise<ActRow> {
  const row = isActHash(hash) ? await findAct(db, hash) : undefined;
  if (row === undefined) {
    throw new ServiceError('not_found', { message: 'Nobody has proposed such an act.' });
  }
  return row;
}
