import type { Router } from '@koa/router';
import { toTimestamp } from '#common/clock.ts';
import { approvalJwk } from '#common/contracts/act.ts';
import { ServiceError } from '#common/errors.ts';
import { readJson } from '#common/http.ts';
import type { PublicJwk } from '#common/keys.ts';
import { asConflict } from '../acts/refusal.ts';
import { invalidForm, parseForm } from '../form.ts';
import { decideTogether } from '../policies/acts.ts';
import { authenticate, type Portal } from '../portal.ts';
import type { ApprovalKeyRow } from '../sql/approval-key-row.ts';
import { listApprovalKeys } from '../sql/list-approval-keys.ts';
import { registerApprovalKey } from '../sql/register-approval-key.ts';
import { unknownWhenLost } from '../store-trouble.ts';
import { type ApprovalKeyAnswer, approvalKeyForm } from './contract.ts';

const bodyBytesMax = 1024;
const keysMax = 200;

/** GET and POST /approval-keys: whose signatures count for whom. */
export function addApprovalKeys(router: Router, portal: Portal): void {
  router.get('/approval-keys', async (context) => {
    await authenticate(portal, context);
    const rows = await listApprovalKeys(portal.pool, keysMax);
    context.body = { keys: rows.map(present) };
  });
  router.post('/approval-keys', async (context) => {
    const admin = await authenticate(portal, context);
    const { x } = parseForm(approvalKeyForm, await readJson(context, bodyBytesMax));
    decideTogether(admin);
    const { adminId } = admin;
    const { kid } = publicKey(x);
    const row = await portal.copies.write(async (db) => {
      const standing = await asConflict(
        unknownWhenLost(registerApprovalKey(db, { kid, x, admin_id: adminId })),
      );
      if (standing.admin_id !== adminId) {
        throw new ServiceError('already_taken', { message: 'This key is registered by another.' });
      }
      portal.log.info({ kid, admin_id: adminId }, 'approval key registered');
      return standing;
    });
    context.status = 201;
    context.body = present(row);
  });
}

/** 43 symbols may still be no 32 bytes: the last one has bits to spare. */
function publicKey(x: string): PublicJwk {
  try {
    return approvalJwk(x);
  } catch {
    throw invalidForm([{ field: 'x', message: 'must be 32 bytes in base64url' }]);
  }
}

function present({ registered_at, ...row }: ApprovalKeyRow): ApprovalKeyAnswer {
  return { ...row, registered_at: toTimestamp(registered_at.getTime()) };
}
