import { addTally, isLive, type RecordRow, type SessionRow, type State } from './state.ts';

/**
 * `votes.is_read_through`: a log that nobody has begun to read is not sealed, nor is one that was
 * not asked for its partitions since.
 */
function isReadThrough(state: State, session: SessionRow): boolean {
  const firstSealMs = new Map<number, number>();
  for (const { logNo, partition } of state.offsets.values()) {
    if (!isLive(state, state.logs.get(logNo)!)) continue;
    const sealedAtMs = state.sealedAtMs.get(`${session.no}:${logNo}:${partition}`);
    if (sealedAtMs === undefined) return false;
    const first = firstSealMs.get(logNo) ?? Number.POSITIVE_INFINITY;
    firstSealMs.set(logNo, Math.min(first, sealedAtMs));
  }
  for (const log of state.logs.values()) {
    if (!isLive(state, log)) continue;
    if (!(log.layoutReadAtMs > (firstSealMs.get(log.no) ?? Number.POSITIVE_INFINITY))) return false;
  }
  return firstSealMs.size > 0;
}

function isDue(state: State, session: SessionRow, nowMs: number): boolean {
  const isClosed = session.sealedAtMs === null && nowMs > session.closesAtMs;
  return isClosed && isReadThrough(state, session);
}

/** Sessions that can be settled. */
export function listReadThrough(state: State, nowMs: number): string[] {
  const due = [...state.sessions.values()].filter((session) => isDue(state, session, nowMs));
  return due.map(({ id }) => id);
}

/** `votes.settle`. */
export function settle(state: State, sessionId: string, nowMs: number): boolean {
  const session = state.sessions.get(sessionId);
  if (session === undefined || !isDue(state, session, nowMs)) return false;
  const moved = moveToWinners(state, session);
  state.corrections.set(`${session.no}:seal`, { moved, atMs: nowMs });
  session.sealedAtMs = nowMs;
  session.version++;
  return true;
}

/** The winner of each voter: smallest (accepted_at, option_id). Gives how many changed option. */
function moveToWinners(state: State, session: SessionRow): number {
  const rows = state.votes.get(session.no) ?? new Map<string, RecordRow>();
  const moves = session.optionIds.map(() => 0);
  let moved = 0;
  for (const [voteId, row] of rows) {
    const others = state.conflicts.get(`${session.no}:${voteId}`) ?? [];
    const winner = others.reduce(
      (held, other) => (isAhead(session, other, held) ? other : held),
      row,
    );
    const isSame = winner.optionNo === row.optionNo && winner.acceptedAtMs === row.acceptedAtMs;
    if (isSame) continue;
    rows.set(voteId, winner);
    others.splice(others.indexOf(winner), 1, row, winner);
    if (winner.optionNo === row.optionNo) continue;
    moved++;
    moves[row.optionNo]!--;
    moves[winner.optionNo]!++;
  }
  for (const [optionNo, votes] of moves.entries()) {
    if (votes !== 0) addTally(state, `${session.no}:${optionNo}:0:-1`, votes);
  }
  return moved;
}

/** The order of the statement, which settles even what is equal by the rule. */
function isAhead(session: SessionRow, one: RecordRow, other: RecordRow): boolean {
  if (isBefore(session, one, other) || isBefore(session, other, one)) {
    return isBefore(session, one, other);
  }
  return (
    (one.logNo - other.logNo || one.partition - other.partition || one.offset - other.offset) < 0
  );
}

export function isBefore(
  session: Pick<SessionRow, 'optionIds'>,
  one: RecordRow,
  other: RecordRow,
): boolean {
  if (one.acceptedAtMs !== other.acceptedAtMs) return one.acceptedAtMs < other.acceptedAtMs;
  return session.optionIds[one.optionNo]! < session.optionIds[other.optionNo]!;
}
