import type { Router } from '@koa/router';
import {
  type ActSignature,
  importApprovalKeys,
  verifyActSignature,
} from '#common/contracts/act.ts';
import type { Db } from '#common/copies.ts';
import { ServiceError } from '#common/errors.ts';
import { readJson } from '#common/http.ts';
import { parseForm } from '../../form.ts';
import type { Admin } from '../../logins.ts';
import { decideTogether } from '../../policies/acts.ts';
import { authenticate, type Portal } from '../../portal.ts';
import { findApprovalKey } from '../../sql/find-approval-key.ts';
import { writeSignature } from '../../sql/sign-act.ts';
import { unknownWhenLost } from '../../store-trouble.ts';
import { asConflict } from '../refusal.ts';
import { actOf } from '../route.ts';
import { presentAct } from '../view.ts';
import { signatureForm } from './contract.ts';

const bodyBytesMax = 1024;

/** POST /acts/{act_hash}/signatures: one of the two. */
export function addSignAct(router: Router, portal: Portal): void {
  router.post('/acts/:act_hash/signatures', async (context) => {
    const admin = await authenticate(portal, context);
    const signature = parseForm(signatureForm, await readJson(context, bodyBytesMax));
    decideTogether(admin);
    const { row, outcome } = await portal.copies.write(async (db) => {
      const { act_hash } = await actOf(db, context.params['act_hash']);
      const hash = act_hash.toString('hex');
      await verifyOwn(db, hash, admin, signature);
      const how = await asConflict(
        unknownWhenLost(writeSignature(db, hash, admin.adminId, signature)),
      );
      portal.log.info(
        { act_hash: hash, kid: signature.kid, outcome: how, admin_id: admin.adminId },
        'act signed',
      );
      return { row: await actOf(db, hash), outcome: how };
    });
    if (outcome === 'signed_before') {
      throw new ServiceError('already_signed', {
        members: { act_hash: context.params['act_hash'] },
      });
    }
    if (outcome !== 'agreed_before') {
      const step = outcome === 'agreed' ? 'agreed' : 'signed';
      portal.metrics.acts.inc({ kind: row.kind, step });
    }
    context.body = presentAct(row);
  });
}

/** Throws `invalid_signature` unless it is this admin's, by a key that he registered. */
async function verifyOwn(
  db: Db,
  hash: string,
  { adminId }: Admin,
  signature: ActSignature,
): Promise<void> {
  const key = await findApprovalKey(db, signature.kid, adminId);
  if (key === undefined) {
    throw new ServiceError('invalid_signature', { message: 'You have not registered this key.' });
  }
  const { keys } = importApprovalKeys([{ x: key.x, adminId }]);
  if (!verifyActSignature(hash, signature, keys)) throw new ServiceError('invalid_signature');
}
