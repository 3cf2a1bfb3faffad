import { decodeSeal, sealFault, sealingRegion } from '#common/contracts/seal.ts';
import type { PublicKeys } from '#common/keys.ts';
import type { RecountedSession } from './sql/read-session.ts';
import type { IsSeal } from './survey-logs.ts';

/** A seal counts where it lies, signed by the log's host, for the session's closing time. */
export function sealJudge(
  session: Pick<RecountedSession, 'session_id' | 'closes_at'>,
  keysOf: ReadonlyMap<string, PublicKeys>,
): IsSeal {
  const closesAtMs = session.closes_at.getTime();
  return ({ value }, place) => {
    const seal = value === null ? undefined : decodeSeal(session.session_id, value);
    if (seal?.closesAtMs !== closesAtMs) return false;
    const keys = keysOf.get(sealingRegion(place.log)) ?? new Map();
    return sealFault(seal, place, keys) === undefined;
  };
}
