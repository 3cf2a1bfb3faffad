import type { ActSignature } from '#common/contracts/act.ts';
import type { FinalResult } from '#common/contracts/session.ts';

/**
 * The tables that the ledger writes, as maps. What each holds is said in `regional-core/schema`;
 * times are milliseconds.
 */
export interface SessionRow {
  readonly no: number;
  readonly id: string;
  version: number;
  readonly optionIds: readonly string[];
  readonly opensAtMs: number;
  readonly closesAtMs: number;
  sealedAtMs: number | null;
  final: FinalResult | null;
}

export interface LogRow {
  readonly no: number;
  readonly name: string;
  /** Number of the region whose copies these are; undefined for a region's own log. */
  readonly standsFor: number | undefined;
  /** Number of the region that holds it; of a region's own log, that region. */
  readonly host: number;
  isLost: boolean;
  /** When its Kafka was last asked for its partitions; −∞ before that. */
  layoutReadAtMs: number;
}

/** A log that nobody has asked for anything yet. */
export const unread = { isLost: false, layoutReadAtMs: Number.NEGATIVE_INFINITY };

export interface OffsetRow {
  readonly logNo: number;
  readonly partition: number;
  readonly clusterId: string;
  readonly topicId: string;
  next: number;
  logEnd: number;
}

export interface RecordRow {
  readonly logNo: number;
  readonly partition: number;
  readonly offset: number;
  readonly optionNo: number;
  readonly acceptedAtMs: number;
}

export const verdictNames = [
  'counted',
  'duplicate',
  'replayed',
  'late',
  'quarantined',
  'control',
] as const;
export type Verdict = (typeof verdictNames)[number];

export type VerdictRow = Record<Verdict, number> & { next: number; first: number };

export interface State {
  epoch: number;
  readonly logs: Map<number, LogRow>;
  /** By session id. */
  readonly sessions: Map<string, SessionRow>;
  /** By `placeKey`. */
  readonly offsets: Map<number, OffsetRow>;
  /** Session number → vote id → the row that counts. */
  readonly votes: Map<number, Map<string, RecordRow>>;
  /** `session:option:log:partition` → votes. */
  readonly tallies: Map<string, number>;
  /** `session:log:partition`. */
  readonly verdicts: Map<string, VerdictRow>;
  /** `session:vote` → records that lost to the row that counts and differ from it. */
  readonly conflicts: Map<string, RecordRow[]>;
  /** `log:partition:offset` → session number. */
  readonly late: Map<
    string,
    { sessionNo: number; voteId: string; optionNo: number; acceptedAtMs: number }
  >;
  /** `log:partition:offset` → why. */
  readonly quarantined: Map<string, string>;
  /** `session:log:partition` → offset of the first valid seal. */
  readonly seals: Map<string, number>;
  /** `session:log:partition` → when that seal says that it was written. */
  readonly sealedAtMs: Map<string, number>;
  /** `session:kind` → votes moved. */
  readonly corrections: Map<string, { moved: number; atMs: number }>;
  /** Session id → the result that two people agreed on. */
  readonly agreed: Map<string, { body: string; signatures: readonly ActSignature[] }>;
  /** By `placeKey`. */
  readonly leases: Map<number, { worker: string; expiresMs: number }>;
  /** `log:worker` → when it expires. */
  readonly workers: Map<string, number>;
}

export function emptyState(): State {
  return {
    epoch: 1,
    logs: new Map(),
    sessions: new Map(),
    offsets: new Map(),
    votes: new Map(),
    tallies: new Map(),
    verdicts: new Map(),
    conflicts: new Map(),
    late: new Map(),
    quarantined: new Map(),
    seals: new Map(),
    sealedAtMs: new Map(),
    corrections: new Map(),
    agreed: new Map(),
    leases: new Map(),
    workers: new Map(),
  };
}

export function placeKey(logNo: number, partition: number): number {
  return logNo * 1000 + partition;
}

/** `votes.live_logs`: a region's own log until it is lost, then its standby, if its host is not. */
export function isLive(state: State, log: LogRow): boolean {
  if (log.isLost || state.logs.get(log.host)?.isLost) return false;
  return log.standsFor === undefined || state.logs.get(log.standsFor)?.isLost === true;
}

export function addTally(state: State, key: string, votes: number): void {
  state.tallies.set(key, (state.tallies.get(key) ?? 0) + votes);
}

export function judge(
  state: State,
  record: { sessionNo: number; logNo: number; partition: number; offset: number },
  verdict: Verdict,
  next: number,
): void {
  const key = `${record.sessionNo}:${record.logNo}:${record.partition}`;
  let row = state.verdicts.get(key);
  if (row === undefined) {
    row = {
      counted: 0,
      duplicate: 0,
      replayed: 0,
      late: 0,
      quarantined: 0,
      control: 0,
      next,
      first: record.offset,
    };
    state.verdicts.set(key, row);
  }
  row[verdict]++;
  row.next = next;
  row.first = Math.min(row.first, record.offset);
}
