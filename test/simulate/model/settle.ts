import { addTally, isLive, type RecordRow, type SessionRow, type State } from './state.ts';

/** `votes.is_read_through`: a log that nobody has begun to read is not sealed. */
function isReadThrough(state: State, session: SessionRow): boolean {
  const begun = new Set<number>();
  for (const { logNo, partition } of state.offsets.values()) {
    if (!isLive(state, state.logs.get(logNo)!)) continue;
    if (!state.seals.has(`${session.no}:${logNo}:${partition}`)) return false;
    begun.add(logNo);
  }
  for (const log of state.logs.values()) {
    if (isLive(state, log) && !begun.has(log.no)) return false;
  }
  return begun.size > 0;
}

/** Settles what is read through; gives the sessions settled. */
export function settle(state: State, nowMs: number): string[] {
  const settled: string[] = [];
  for (const session of state.sessions.values()) {
    if (session.sealedAtMs !== null || nowMs <= session.closesAtMs) continue;
    if (!isReadThrough(state, session)) continue;
    const moved = moveToWinners(state, session);
    state.corrections.set(`${session.no}:seal`, { moved, atMs: nowMs });
    session.sealedAtMs = nowMs;
    session.version++;
    settled.push(session.id);
  }
  return settled;
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
