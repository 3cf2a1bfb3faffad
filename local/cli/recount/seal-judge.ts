import { decodeSeal, sealFault, sealingRegion } from '#common/contracts/seal.ts';
import { importPublicKeys, type PublicJwk, type PublicKeys } from '#common/keys.ts';
import type { RecountedSession } from './sql/read-session.ts';
import type { IsSeal } from './survey-logs.ts';

/** A seal counts where it lies, signed by the log's host, for the session's closing time. */
export function sealJudge(
  session: Pick<RecountedSession, 'session_id' | 'closes_at'>,
  known: readonly { readonly region: string; readonly jwk: PublicJwk }[],
): IsSeal {
  const byRegion = new Map<string, PublicKeys>();
  for (const { region } of known) {
    const own = known.filter((key) => key.region === region);
    byRegion.set(region, importPublicKeys(own.map(({ jwk }) => jwk)));
  }
  const closesAtMs = session.closes_at.getTime();
  return ({ value }, place) => {
    const seal = value === null ? undefined : decodeSeal(session.session_id, value);
    if (seal?.closesAtMs !== closesAtMs) return false;
    const keys = byRegion.get(sealingRegion(place.log)) ?? new Map();
    return sealFault(seal, place, keys) === undefined;
  };
}
