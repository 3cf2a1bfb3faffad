import { toTimestamp } from '#common/clock.ts';
import type { ActRow } from '../sql/find-act.ts';
import type { ActAnswer } from './contract.ts';

/**
 * Every time as RFC 3339 in UTC with milliseconds; Postgres's own in `signatures` has microseconds.
 */
export function presentAct(row: ActRow): ActAnswer {
  return {
    act_hash: row.act_hash.toString('hex'),
    kind: row.kind,
    body: row.body,
    proposed_by: row.proposed_by,
    proposed_at: toTimestamp(row.proposed_at.getTime()),
    agreed_at: row.agreed_at === null ? null : toTimestamp(row.agreed_at.getTime()),
    signatures: row.signatures.map(({ kid, admin_id, signed_at }) => ({
      kid,
      admin_id,
      signed_at: toTimestamp(Date.parse(signed_at)),
    })),
  };
}
