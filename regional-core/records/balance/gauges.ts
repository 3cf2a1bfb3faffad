import { DAY_MS, MINUTE_MS, SECOND_MS, sleep } from '#common/clock.ts';
import { isReadOnlyError, leaveServer } from '#common/postgres.ts';
import type { Records } from '../records.ts';
import { listBalancedSessions } from '../sql/list-balanced-sessions.ts';
import { type BalanceRow, readBalance } from '../sql/read-balance.ts';
import { readLogBalance } from '../sql/read-log-balance.ts';
import {
  dropOldMinutes,
  type MeasuredBalance,
  writeBalanceMinutes,
} from '../sql/write-balance-minutes.ts';
import { compareBalance } from './balance.ts';
import { Turns } from './turns.ts';

const measureMs = SECOND_MS;
/** The sum over all verdicts of a log: one row a session and partition, so not each second. */
const logsMs = 10 * SECOND_MS;
/** The log keeps its records for eight days: what is older cannot be counted again. */
const minutesKeptMs = 9 * DAY_MS;
/** Checkpoints are a second apart, comparisons ten: more than this is no delay but trouble. */
const comparedAgoMsMax = 30 * SECOND_MS;

/** What is known of a session, of those whose turn it is not as well. */
interface Lately {
  /** Monotonic ms of the last reading, or since when it waits for the first. */
  measuredAtMs: number;
  /** Monotonic ms of the last reading that could be compared; none was read yet: undefined. */
  comparedAtMs: number | undefined;
  off: number;
}

type Measured = Pick<Records, 'pool' | 'metrics' | 'log' | 'clock'>;

/** Keeps the balance of open sessions in the metrics, once a second, until the signal aborts. */
export async function measureBalances(records: Measured, signal: AbortSignal): Promise<void> {
  const measuring = new BalanceMeasuring(records);
  while (!signal.aborted) {
    try {
      await measuring.measure();
    } catch (error) {
      // Said by those who answer requests; here the gauges only grow old.
      records.log.debug({ err: error }, 'the balance cannot be measured now');
      // A standby now: the address leads to another server.
      if (isReadOnlyError(error)) leaveServer(records.pool);
    }
    await sleep(measureMs, signal);
  }
}

/**
 * Measures the balances again and again: sets the gauges, writes the minute's row of each session,
 * and says once when a balance does not add up, and once when it does again.
 */
export class BalanceMeasuring {
  readonly #parts: Measured;
  /** What was said of a session or log, so that it is said once. */
  readonly #said = new Map<string, string>();
  readonly #turns = new Turns();
  readonly #sessions = new Map<string, Lately>();
  #logsAtMs = Number.NEGATIVE_INFINITY;
  #droppedAtMs = Number.NEGATIVE_INFINITY;

  constructor(parts: Measured) {
    this.#parts = parts;
  }

  /** Reads and sets everything once. */
  async measure(): Promise<void> {
    const { pool, metrics, clock } = this.#parts;
    const nowMs = clock.now();
    const { sessionIds, more } = await listBalancedSessions(pool, nowMs);
    this.#rememberOnly(sessionIds);
    const sessions = this.#turns.next(sessionIds);
    const rows = sessions.length === 0 ? [] : await readBalance(pool, sessions);
    metrics.sessionRecords.reset();
    metrics.balanceOff.reset();
    metrics.balanceAge.reset();
    const measured: MeasuredBalance[] = [];
    for (const [sessionId, own] of bySession(rows)) {
      const one = this.#measureSession(sessionId, own);
      if (one !== undefined) measured.push(one);
    }
    this.#tellOthers(new Set(sessions), more);
    if (measured.length > 0) await writeBalanceMinutes(pool, nowMs, measured);
    await this.#measureLogs();
    if (clock.monotonicMs() - this.#droppedAtMs < MINUTE_MS) return;
    this.#droppedAtMs = clock.monotonicMs();
    await dropOldMinutes(pool, nowMs - minutesKeptMs);
  }

  /** Gives what the minute's row may say; nothing while the log counter is behind the ledger. */
  #measureSession(session_id: string, rows: readonly BalanceRow[]): MeasuredBalance | undefined {
    const { metrics, clock } = this.#parts;
    const { balance, control, isComparable, off } = compareBalance(rows);
    metrics.balanceOff.set({ session_id }, off);
    for (const [verdict, count] of Object.entries({ ...balance, control })) {
      // Behind the ledger, accepted and pending would be too small.
      const isMeant = isComparable || (verdict !== 'accepted' && verdict !== 'pending');
      if (isMeant) metrics.sessionRecords.set({ session_id, verdict }, count);
    }
    const nowMs = clock.monotonicMs();
    const lately = this.#sessions.get(session_id)!;
    lately.measuredAtMs = nowMs;
    lately.off = off;
    if (isComparable) lately.comparedAtMs = nowMs;
    lately.comparedAtMs ??= nowMs;
    const agoMs = nowMs - lately.comparedAtMs;
    metrics.balanceAge.set({ session_id }, agoMs / SECOND_MS);
    this.#say(`session ${session_id}`, { session_id, off }, off, agoMs);
    return isComparable ? { sessionId: session_id, balance, control, off } : undefined;
  }

  async #measureLogs(): Promise<void> {
    const { pool, metrics, clock } = this.#parts;
    if (clock.monotonicMs() - this.#logsAtMs < logsMs) return;
    this.#logsAtMs = clock.monotonicMs();
    for (const { log, off } of await readLogBalance(pool)) {
      metrics.logBalanceOff.set({ log }, off);
      this.#say(`log ${log}`, { log, off }, off, 0);
    }
  }

  #say(name: string, fields: object, off: number, comparedAgoMs: number): void {
    const { log } = this.#parts;
    const isLate = comparedAgoMs > comparedAgoMsMax;
    const found = off === 0 ? (isLate ? 'uncompared' : 'even') : 'off';
    if ((this.#said.get(name) ?? 'even') === found) return;
    this.#said.set(name, found);
    if (found === 'off') log.error(fields, 'the balance is off: records and verdicts differ');
    else if (found === 'uncompared') {
      log.error(fields, 'the balance cannot be compared: the log counter stays behind the ledger');
    } else log.info(fields, 'the balance is even again');
  }

  /** A session that is not measured any more is not remembered either. */
  #rememberOnly(sessionIds: readonly string[]): void {
    const known = new Set(sessionIds);
    for (const session of this.#sessions.keys()) {
      if (known.has(session)) continue;
      this.#sessions.delete(session);
      this.#said.delete(`session ${session}`);
    }
    const measuredAtMs = this.#parts.clock.monotonicMs();
    for (const session of sessionIds) {
      if (this.#sessions.has(session)) continue;
      this.#sessions.set(session, { measuredAtMs, comparedAtMs: undefined, off: 0 });
    }
  }

  /** An alarm does not go out because it is the turn of others; and who waits too long is counted. */
  #tellOthers(measured: ReadonlySet<string>, more: number): void {
    const { metrics, clock } = this.#parts;
    let waiting = more;
    for (const [session_id, { off, measuredAtMs }] of this.#sessions) {
      if (measured.has(session_id)) continue;
      if (off !== 0) metrics.balanceOff.set({ session_id }, off);
      if (clock.monotonicMs() - measuredAtMs > MINUTE_MS) waiting += 1;
    }
    metrics.sessionsNotMeasured.set(waiting);
  }
}

function bySession(rows: readonly BalanceRow[]): Map<string, BalanceRow[]> {
  const sessions = new Map<string, BalanceRow[]>();
  for (const row of rows) {
    const held = sessions.get(row.session_id);
    if (held === undefined) sessions.set(row.session_id, [row]);
    else held.push(row);
  }
  return sessions;
}
