import { ResultDigest } from '#common/contracts/digest.ts';
import { uuidToBytes } from '#common/uuid.ts';
import type { AgreedResult, DatabaseRecount } from '../../../regional-core/ledger/finaliser.ts';
import type { UnsealedSession } from '../../../regional-core/ledger/ledger-store.ts';
import type { RecordRow, SessionRow, State } from './state.ts';

/** `votes.unsealed`. */
export function listUnsealed(
  state: State,
  logNo: number,
  partitions: readonly number[],
  closedBeforeMs: number,
): UnsealedSession[] {
  const due: UnsealedSession[] = [];
  for (const { id: sessionId, no, version, closesAtMs, sealedAtMs } of state.sessions.values()) {
    if (sealedAtMs !== null || closesAtMs > closedBeforeMs) continue;
    const open = partitions
      .filter((partition) => !state.seals.has(`${no}:${logNo}:${partition}`))
      .toSorted((a, b) => a - b);
    if (open.length > 0) due.push({ sessionId, version, closesAtMs, partitions: open });
  }
  return due;
}

/** Results that two people agreed on, of sessions that are settled and not final yet. */
export function listAgreed(state: State): AgreedResult[] {
  return [...state.agreed].flatMap(([sessionId, { body, signatures }]) => {
    const session = state.sessions.get(sessionId)!;
    if (session.sealedAtMs === null || session.final !== null) return [];
    return { sessionNo: session.no, body, signatures };
  });
}

/** `votes.recount`. */
export function recount(state: State, sessionNo: number): DatabaseRecount {
  const session = [...state.sessions.values()].find(({ no }) => no === sessionNo)!;
  const held = state.votes.get(sessionNo) ?? new Map<string, RecordRow>();
  const rows = session.optionIds.map(() => 0);
  const tallies = session.optionIds.map(() => 0);
  for (const { optionNo } of held.values()) rows[optionNo]!++;
  for (const [key, votes] of state.tallies) {
    const [of, optionNo] = key.split(':').map(Number);
    if (of === sessionNo) tallies[optionNo!]! += votes;
  }
  return { digest: digestOf(session, held), rows, tallies };
}

/** The digest of who counts; see `contracts/digest.ts`. */
export function digestOf(
  session: Pick<SessionRow, 'optionIds'>,
  winners: ReadonlyMap<string, Pick<RecordRow, 'optionNo' | 'acceptedAtMs'>>,
): string {
  const digest = new ResultDigest();
  for (const [voteId, { optionNo, acceptedAtMs }] of winners) {
    const optionId = session.optionIds[optionNo]!;
    digest.add({ voteId: uuidToBytes(voteId), optionId, acceptedAtMs });
  }
  return digest.hex();
}
