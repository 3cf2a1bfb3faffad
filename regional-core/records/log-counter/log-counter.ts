import { type Clock, SECOND_MS, sleep } from '#common/clock.ts';
import { readLogBounds } from '#common/kafka.ts';
import type { Log } from '#common/log.ts';
import { LogReader, LogReplacedError, OffsetOutOfRangeError } from '#common/log-reader.ts';
import { isReadOnlyError, leaveServer, type Pool } from '#common/postgres.ts';
import { regionNo } from '#common/region-no.ts';
import { Turns } from '../balance/turns.ts';
import type { RecordsMetrics } from '../metrics.ts';
import { addLogCounts } from '../sql/add-log-counts.ts';
import { findLog } from '../sql/find-log.ts';
import { listBalancedSessions } from '../sql/list-balanced-sessions.ts';
import { noteLogEnds } from '../sql/note-log-ends.ts';
import { OtherLogError, readLogOffsets } from '../sql/read-log-offsets.ts';
import { readMarks } from '../sql/read-marks.ts';
import { skipLostRecords } from '../sql/skip-lost-records.ts';
import { writeChecks } from '../sql/write-checks.ts';
import { checkMarks, cutBatch, type Mark, marksOf } from './marks.ts';
import { Tally } from './tally.ts';

export interface LogCounterOptions {
  readonly pool: Pool;
  readonly brokers: readonly string[];
  /** Full name of the topic that the log lies in. */
  readonly topic: string;
  /** The log: a region, or `region@host` for the copies that this region holds. */
  readonly name: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Pick<RecordsMetrics, 'logCounterLag' | 'logRecordsMissed'>;
  readonly random: () => number;
}

const checkpointMs = SECOND_MS;
const recordsAtOnceMax = 20_000;
const retryMs = SECOND_MS;
const watchMs = 3 * SECOND_MS;
/** Checkpoints are a second apart: four fetches for each are enough. */
const paceMs = 250;
/** A record that goes missing is to be found within a minute, by up to 300 open sessions. */
const compareMs = 10 * SECOND_MS;
/** How long the ledger may take to reach where we stand, and we to reach where it stood. */
const markMsMax = 3 * SECOND_MS;
const markAgainMs = 200;

/**
 * Counts the records of a log per session, without the ledger: the other side of the balance.
 *
 *   counting ──► another process was ahead ──► watching ──► the offsets stand still ──► counting
 *       └── any trouble: forget what is not written, begin again at the offsets in Postgres ──┘
 *
 * Every process of a region may run one. The statement that adds counts compares offsets first, so
 * nothing is counted twice; watching only spares reading what somebody else reads already. A crash
 * loses at most what was read since the last checkpoint, and that is read again. A log that nobody
 * reads (a lost region's, or copies whose originals are there) is not counted either.
 */
export class LogCounter {
  readonly #options: LogCounterOptions;
  readonly #reader: LogReader;
  readonly #clock: Clock;
  readonly #closing = new AbortController();
  readonly #running: Promise<void>;
  readonly #turns = new Turns();
  #isTroubled = false;

  constructor(options: LogCounterOptions) {
    this.#options = options;
    this.#clock = options.clock;
    this.#reader = new LogReader({ ...options, clientId: `records-${process.pid}`, paceMs });
    this.#running = this.#run();
  }

  /** Writes what was counted and ends. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#running;
    await this.#reader.close();
  }

  async #run(): Promise<void> {
    while (!this.#closing.signal.aborted) {
      let no: number | undefined;
      try {
        no = await this.#liveLog();
        if (no === undefined) {
          await this.#sleep(watchMs);
          continue;
        }
        await this.#countUntilOvertaken(no);
        await this.#watchWhileOthersCount(no);
      } catch (error) {
        this.#report(error);
        if (isReadOnlyError(error)) leaveServer(this.#options.pool);
        if (no !== undefined) await this.#skipIfLost(no, error).catch(() => undefined);
        await this.#sleep(retryMs);
      }
    }
  }

  /** Until then, or until this counter closes. */
  #sleep(ms: number): Promise<void> {
    return sleep(ms, this.#closing.signal, this.#clock);
  }

  /** The log's number; undefined while it is not there, or not read by anybody. */
  async #liveLog(): Promise<number | undefined> {
    const { pool, name } = this.#options;
    // A standby is made by the ledger that seals it; a region, by whoever comes first.
    if (!name.includes('@')) await regionNo(pool, name);
    const found = await findLog(pool, name);
    return found?.is_live === true ? found.region_no : undefined;
  }

  async #countUntilOvertaken(no: number): Promise<void> {
    this.#reader.assign(new Map());
    this.#reader.assign(await this.#readOffsets(no));
    const tally = new Tally();
    let dueMs = this.#clock.monotonicMs() + checkpointMs;
    let compareDueMs = this.#clock.monotonicMs() + compareMs;
    let closing = false;
    while (!closing) {
      closing = this.#closing.signal.aborted;
      const waitMs = closing ? 0 : Math.max(0, dueMs - this.#clock.monotonicMs());
      for (const batch of await this.#reader.take(recordsAtOnceMax, waitMs)) tally.add(batch);
      if (this.#clock.monotonicMs() < dueMs && !closing) continue;
      dueMs = this.#clock.monotonicMs() + checkpointMs;
      this.#measureLag();
      if (!(await this.#checkpoint(no, tally))) return;
      if (closing || this.#clock.monotonicMs() < compareDueMs) continue;
      compareDueMs = this.#clock.monotonicMs() + compareMs;
      if (!(await this.#compare(no, tally))) return;
    }
  }

  /** Writes what was counted; false when another process was ahead. */
  async #checkpoint(no: number, tally: Tally): Promise<boolean> {
    const counts = tally.takeAll();
    if (counts.length > 0) {
      const moved = await addLogCounts(this.#options.pool, no, counts);
      if (moved.size < counts.length) return false;
    }
    if (this.#isTroubled) this.#options.log.info('the log is counted again');
    this.#isTroubled = false;
    return true;
  }

  /**
   * Counts to where the ledger stands and holds the counts against its verdicts; what lies behind
   * goes into `tally`, which is empty when this begins. False when another process was ahead, or
   * when the log is not read any more.
   */
  async #compare(no: number, tally: Tally): Promise<boolean> {
    const { pool } = this.#options;
    if ((await this.#liveLog()) === undefined) return false;
    await noteLogEnds(pool, no, this.#reader.logEnds());
    const { sessionIds } = await listBalancedSessions(pool, this.#clock.now());
    const sessions = this.#turns.next(sessionIds);
    if (sessions.length === 0) return true;
    const marks = await this.#readMarks(no, sessions);
    if (marks === undefined) return false;
    const before = new Tally();
    const reached = await this.#countTo(marks, before, tally);
    const counts = before.takeAll();
    if (counts.length > 0) {
      const moved = await addLogCounts(pool, no, counts);
      if (moved.size < counts.length) return false;
    }
    await writeChecks(pool, no, checkMarks(reached, counts));
    return true;
  }

  /** Waits for the ledger where it is behind us: only what both have read can be compared. */
  async #readMarks(
    no: number,
    sessions: readonly string[],
  ): Promise<Map<number, Mark> | undefined> {
    const positions = this.#reader.positions();
    const deadlineMs = this.#clock.monotonicMs() + markMsMax;
    for (;;) {
      const marks = marksOf(await readMarks(this.#options.pool, no, sessions), positions);
      if (marks === undefined || marks.size === positions.size) return marks;
      if (this.#clock.monotonicMs() > deadlineMs || this.#closing.signal.aborted) return marks;
      await this.#sleep(markAgainMs);
    }
  }

  /** Counts up to the marks into `before`, the rest into `behind`; gives the marks reached. */
  async #countTo(
    marks: ReadonlyMap<number, Mark>,
    before: Tally,
    behind: Tally,
  ): Promise<Map<number, Mark>> {
    const unreached = new Map(marks);
    const deadlineMs = this.#clock.monotonicMs() + markMsMax;
    for (;;) {
      for (const [partition, position] of this.#reader.positions()) {
        if (position >= (unreached.get(partition)?.next ?? 0)) unreached.delete(partition);
      }
      if (unreached.size === 0 || this.#clock.monotonicMs() > deadlineMs) break;
      if (this.#closing.signal.aborted) break;
      for (const batch of await this.#reader.take(recordsAtOnceMax, markAgainMs)) {
        const mark = marks.get(batch.partition);
        const [own, rest] = mark === undefined ? [undefined, batch] : cutBatch(batch, mark.next);
        if (own !== undefined) before.add(own);
        if (rest !== undefined) behind.add(rest);
      }
    }
    return new Map([...marks].filter(([partition]) => !unreached.has(partition)));
  }

  async #watchWhileOthersCount(no: number): Promise<void> {
    const { random, log } = this.#options;
    if (this.#closing.signal.aborted) return;
    log.debug('another process counts this log');
    let before = await this.#readOffsets(no);
    for (;;) {
      // Jittered: two that step back together must not come back together.
      await this.#sleep(watchMs * (1 + random()));
      if (this.#closing.signal.aborted) return;
      const now = await this.#readOffsets(no);
      if ([...now].every(([partition, offset]) => before.get(partition) === offset)) return;
      before = now;
    }
  }

  async #readOffsets(no: number): Promise<Map<number, number>> {
    const { pool, topic, brokers } = this.#options;
    const kafka = { brokers, clientId: `records-${process.pid}` };
    const starts = await readLogBounds(kafka, topic, 'earliest');
    return readLogOffsets(pool, no, await this.#reader.layout(), starts);
  }

  #report(error: unknown): void {
    const { log, name } = this.#options;
    // One line an outage, not one an attempt.
    if (this.#isTroubled) return;
    this.#isTroubled = true;
    const isOther = error instanceof OtherLogError || error instanceof LogReplacedError;
    log[isOther ? 'error' : 'warn']({ err: error, name }, 'the log cannot be counted now');
  }

  /** Records that left the log uncounted are gone for the balance: said loudly, then gone past. */
  async #skipIfLost(no: number, error: unknown): Promise<void> {
    if (!(error instanceof OffsetOutOfRangeError)) return;
    const { pool, topic, brokers, log, metrics } = this.#options;
    const kafka = { brokers, clientId: `records-${process.pid}` };
    const starts = await readLogBounds(kafka, topic, 'earliest');
    const { partition, offset } = error;
    const next = starts[partition] ?? 0;
    // Past the log's end: this is another log than the one that was counted. People must look.
    if (next <= offset) return;
    const lost = { partition, from: offset, next };
    if (!(await skipLostRecords(pool, no, lost))) return;
    metrics.logRecordsMissed.inc(next - offset);
    log.error({ ...lost }, 'records left the log before they were counted');
  }

  #measureLag(): void {
    const { metrics, name } = this.#options;
    const positions = this.#reader.positions();
    let lag = 0;
    for (const [partition, end] of this.#reader.logEnds()) {
      lag += Math.max(0, end - (positions.get(partition) ?? end));
    }
    metrics.logCounterLag.set({ log: name }, lag);
  }
}
