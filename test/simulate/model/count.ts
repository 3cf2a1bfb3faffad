import { actHash, type FinaliseAct } from '#common/contracts/act.ts';
import type { CountBatch } from '../../../regional-core/ledger/batch.ts';
import type { BatchVerdicts, LogIdentity } from '../../../regional-core/ledger/sql/count-batch.ts';
import type { FlawName } from '../flaws.ts';
import { refuseOldOrUnread } from './lease.ts';
import {
  addTally,
  judge,
  placeKey,
  type RecordRow,
  type SessionRow,
  type State,
  type Verdict,
} from './state.ts';

interface Candidate extends RecordRow {
  readonly voteId: string;
  readonly session: SessionRow | undefined;
}

/** `votes.count_batch`: all of it or, by an error, nothing. */
export function countBatch(
  state: State,
  log: LogIdentity,
  epochMin: number,
  batch: CountBatch,
  nowMs: number,
  flaw?: FlawName,
): BatchVerdicts {
  refuseOldOrUnread(state, log, epochMin);
  const verdicts = { counted: 0, duplicate: 0, replayed: 0, late: 0, quarantined: 0, control: 0 };
  if (flaw !== 'no-fence' && isFenced(state, log, batch)) return { fenced: true, ...verdicts };
  assertWhole(batch);
  const next = new Map<number, number>();
  for (const [at, partition] of batch.partitions.partition.entries()) {
    next.set(partition, batch.partitions.next[at]!);
  }
  const end = (sessionNo: number, record: RecordRow, verdict: Verdict): void => {
    verdicts[verdict]++;
    judge(state, { sessionNo, ...record }, verdict, next.get(record.partition)!);
  };
  quarantineUnreadable(state, log, batch, end);
  takeControls(state, log, batch, nowMs, end);
  for (const record of sorted(readVotes(state, log, batch))) {
    end(record.session?.no ?? 0, record, takeVote(state, record, nowMs, flaw));
  }
  if (flaw !== 'offsets-apart') advance(state, log, batch);
  return { fenced: false, ...verdicts };
}

function isFenced(state: State, log: LogIdentity, { partitions }: CountBatch): boolean {
  return partitions.partition.some((partition, at) => {
    const held = state.offsets.get(placeKey(log.regionNo, partition));
    return (
      held === undefined ||
      held.next !== partitions.from[at] ||
      held.clusterId !== log.clusterId ||
      held.topicId !== log.topicId
    );
  });
}

/** Offsets are dense: a batch that spans more than it holds has lost a record. */
function assertWhole(batch: CountBatch): void {
  const { partitions, votes, unreadable, seals, finals } = batch;
  let spanned = 0;
  for (const [at, next] of partitions.next.entries()) spanned += next - partitions.from[at]!;
  const controls = seals.length + finals.length;
  const records = votes.offset.length + unreadable.offset.length + controls;
  if (spanned !== records) {
    throw new Error(`batch spans ${spanned} offsets but holds ${records} records`);
  }
}

function quarantineUnreadable(
  state: State,
  { regionNo: logNo }: LogIdentity,
  { unreadable }: CountBatch,
  end: (sessionNo: number, record: RecordRow, verdict: Verdict) => void,
): void {
  for (const [at, offset] of unreadable.offset.entries()) {
    const partition = unreadable.partition[at]!;
    const sessionNo = state.sessions.get(unreadable.sessionId[at] ?? '')?.no ?? 0;
    state.quarantined.set(`${logNo}:${partition}:${offset}`, unreadable.reason[at]!);
    end(sessionNo, { logNo, partition, offset, optionNo: 0, acceptedAtMs: 0 }, 'quarantined');
  }
}

/** `votes.judge_control`: the first seal of a session in a partition counts. */
function takeControls(
  state: State,
  { regionNo: logNo }: LogIdentity,
  { seals, finals }: CountBatch,
  nowMs: number,
  end: (sessionNo: number, record: RecordRow, verdict: Verdict) => void,
): void {
  const judged = (
    control: { readonly sessionId: string; readonly partition: number; readonly offset: number },
    reason: string | undefined,
  ): void => {
    const { partition, offset } = control;
    const record = { logNo, partition, offset, optionNo: 0, acceptedAtMs: 0 };
    if (reason !== undefined) state.quarantined.set(`${logNo}:${partition}:${offset}`, reason);
    const sessionNo = state.sessions.get(control.sessionId)?.no ?? 0;
    end(sessionNo, record, reason === undefined ? 'control' : 'quarantined');
  };
  for (const seal of byOffset(seals)) {
    const session = state.sessions.get(seal.sessionId);
    if (session === undefined) judged(seal, 'unknown session');
    else if (session.closesAtMs !== seal.closesAtMs) judged(seal, 'seal of another closing time');
    else {
      const key = `${session.no}:${logNo}:${seal.partition}`;
      if (!state.seals.has(key)) {
        state.seals.set(key, seal.offset);
        state.sealedAtMs.set(key, seal.sealedAtMs);
      }
      judged(seal, undefined);
    }
  }
  for (const final of byOffset(finals)) {
    const session = state.sessions.get(final.sessionId);
    if (session === undefined) judged(final, 'unknown session');
    else judged(final, keepFinal(session, final, nowMs));
  }
}

function byOffset<T extends { partition: number; offset: number }>(records: readonly T[]): T[] {
  return records.toSorted((a, b) => a.partition - b.partition || a.offset - b.offset);
}

/** `votes.keep_final`: a session has one result. */
function keepFinal(
  session: SessionRow,
  final: CountBatch['finals'][number],
  nowMs: number,
): string | undefined {
  if (session.final !== null) {
    const isSame = session.final.digest === final.digest;
    return isSame ? undefined : 'another result of a final session';
  }
  const statement = JSON.parse(final.statement.toString()) as { act: string };
  const { digest, counts, total } = JSON.parse(statement.act) as FinaliseAct;
  session.final = { digest, counts, total, at_ms: nowMs, act_hash: actHash(statement.act) };
  session.version++;
  return undefined;
}

function readVotes(
  state: State,
  { regionNo: logNo }: LogIdentity,
  { sessions, votes }: CountBatch,
): Candidate[] {
  return votes.offset.map((offset, at) => ({
    session: state.sessions.get(sessions[votes.sessionAt[at]! - 1]!),
    voteId: votes.voteId[at]!,
    optionNo: votes.optionNo[at]!,
    acceptedAtMs: votes.acceptedAtMs[at]!,
    logNo,
    partition: votes.partition[at]!,
    offset,
  }));
}

/** The order of the insert: of one voter's records in a batch, the smallest wins. */
function sorted(records: Candidate[]): Candidate[] {
  return records.toSorted(
    (a, b) =>
      (a.session?.no ?? 0) - (b.session?.no ?? 0) ||
      (a.voteId < b.voteId ? -1 : Number(a.voteId > b.voteId)) ||
      a.acceptedAtMs - b.acceptedAtMs ||
      a.optionNo - b.optionNo ||
      a.partition - b.partition ||
      a.offset - b.offset,
  );
}

function takeVote(
  state: State,
  record: Candidate,
  nowMs: number,
  flaw: FlawName | undefined,
): Verdict {
  const { session, voteId, logNo, partition, offset, optionNo } = record;
  const place = `${logNo}:${partition}:${offset}`;
  if (session === undefined || optionNo >= session.optionIds.length) {
    state.quarantined.set(place, session === undefined ? 'unknown session' : 'unknown option');
    return 'quarantined';
  }
  const { acceptedAtMs } = record;
  if (isLate(state, session, record, nowMs, flaw)) {
    state.late.set(place, { sessionNo: session.no, voteId, optionNo, acceptedAtMs });
    return 'late';
  }
  const row: RecordRow = { logNo, partition, offset, optionNo, acceptedAtMs };
  let rows = state.votes.get(session.no);
  if (rows === undefined) {
    rows = new Map();
    state.votes.set(session.no, rows);
  }
  const winner = rows.get(voteId);
  const tally = `${session.no}:${optionNo}:${logNo}:${partition}`;
  if (winner === undefined || flaw === 'tally-from-log') addTally(state, tally, 1);
  if (winner === undefined) {
    rows.set(voteId, row);
    return 'counted';
  }
  if (optionNo !== winner.optionNo || acceptedAtMs < winner.acceptedAtMs) {
    const key = `${session.no}:${voteId}`;
    state.conflicts.set(key, [...(state.conflicts.get(key) ?? []), row]);
  }
  return optionNo === winner.optionNo ? 'replayed' : 'duplicate';
}

function isLate(
  state: State,
  session: SessionRow,
  { voteId, logNo, partition, offset, optionNo, acceptedAtMs }: Candidate,
  nowMs: number,
  flaw: FlawName | undefined,
): boolean {
  if (flaw === 'late-by-clock' && nowMs > session.closesAtMs) return true;
  const seal = state.seals.get(`${session.no}:${logNo}:${partition}`);
  if (acceptedAtMs > session.closesAtMs || (seal !== undefined && offset > seal)) return true;
  if (session.sealedAtMs === null) return false;
  // A copy of the vote that counts, as a lost region's standby brings it, is not late.
  const winner = state.votes.get(session.no)?.get(voteId);
  return winner?.optionNo !== optionNo || winner.acceptedAtMs !== acceptedAtMs;
}

/** The offsets of what was read. */
export function advance(state: State, log: LogIdentity, { partitions }: CountBatch): void {
  for (const [at, partition] of partitions.partition.entries()) {
    const held = state.offsets.get(placeKey(log.regionNo, partition))!;
    held.next = partitions.next[at]!;
    held.logEnd = Math.max(held.logEnd, partitions.logEnd[at]!);
  }
}
