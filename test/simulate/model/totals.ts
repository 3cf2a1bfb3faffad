import type { SealKey, SessionMessage } from '#common/contracts/session.ts';
import type { Covers } from '#common/contracts/vote-aggregated.ts';
import type {
  SessionTotals,
  TotalsRead,
} from '../../../regional-core/publisher/sql/read-totals.ts';
import { isLive, type SessionRow, type State } from './state.ts';

/** `read_totals`: offsets and the counts that follow from them, in one statement. */
export function readTotals(state: State, since: Covers, alsoNos: readonly number[]): TotalsRead {
  const covers: Record<string, number[]> = {};
  const changed = new Set(alsoNos);
  for (const { logNo, partition, next } of state.offsets.values()) {
    const { name } = state.logs.get(logNo)!;
    (covers[name] ??= [])[partition] = next;
    const known = since[name]?.[partition] ?? 0;
    if (next <= known) continue;
    for (const [key, row] of state.verdicts) {
      const [sessionNo, ofLog, ofPartition] = key.split(':').map(Number);
      if (ofLog !== logNo || ofPartition !== partition || row.next <= known) continue;
      if (sessionNo! > 0) changed.add(sessionNo!);
    }
  }
  return {
    epoch: state.epoch,
    corrections: state.corrections.size,
    covers,
    unread: [...state.logs.values()].filter((log) => !isLive(state, log)).map(({ name }) => name),
    sessions: [...changed].map((sessionNo) => totalsOf(state, sessionNo)),
  };
}

function totalsOf(state: State, sessionNo: number): SessionTotals {
  const counts: Record<string, number> = {};
  for (const [key, votes] of state.tallies) {
    const [of, optionNo] = key.split(':');
    if (Number(of) === sessionNo) counts[optionNo!] = (counts[optionNo!] ?? 0) + votes;
  }
  const corrected = [...state.corrections]
    .filter(([key]) => key.startsWith(`${sessionNo}:`))
    .map(([, { moved, atMs }]) => ({ kind: 'seal' as const, moved, at_ms: atMs }));
  return { sessionNo, counts, corrected };
}

export function readSessions(state: State): SessionMessage[] {
  return [...state.sessions.values()].map((row) => sessionMessage(row, state.epoch));
}

export function sessionMessage(row: SessionRow, epoch: number): SessionMessage {
  return {
    type: 'session',
    v: 1,
    epoch,
    version: row.version,
    session_id: row.id,
    session_no: row.no,
    title: 'Which one?',
    options: row.optionIds.map((option_id) => ({ option_id, label: option_id })),
    opens_at_ms: row.opensAtMs,
    closes_at_ms: row.closesAtMs,
    eligibility: ['code'],
    results_policy: 'live',
    released_at_ms: null,
    sealed_at_ms: row.sealedAtMs,
    final: row.final,
  };
}

export function readRegions(state: State): { epoch: number; lost: string[] } {
  const lost = [...state.logs.values()]
    .filter(({ isLost, standsFor }) => isLost && standsFor === undefined)
    .map(({ name }) => name);
  return { epoch: state.epoch, lost: lost.toSorted() };
}

/** The regions' keys for seals; a stand-in checks them. */
export const sealKeys: SealKey[] = [];
