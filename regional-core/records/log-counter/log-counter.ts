import { SECOND_MS, sleep } from '#common/clock.ts';
import { readLogBounds } from '#common/kafka.ts';
import type { Log } from '#common/log.ts';
import { LogReader, OffsetOutOfRangeError } from '#common/log-reader.ts';
import type { Pool } from '#common/postgres.ts';
import { regionNo } from '#common/region-no.ts';
import type { RecordsMetrics } from '../metrics.ts';
import { addLogCounts } from '../sql/add-log-counts.ts';
import { readLogOffsets } from '../sql/read-log-offsets.ts';
import { skipLostRecords } from '../sql/skip-lost-records.ts';
import { Tally } from './tally.ts';

export interface LogCounterOptions {
  readonly pool: Pool;
  readonly brokers: readonly string[];
  /** Full name of the region's vote-submitted. */
  readonly topic: string;
  readonly region: string;
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

/**
 * Counts the records of a region's log per session, without the ledger: the other side of the
 * balance.
 *
 *   counting ──► another process was ahead ──► watching ──► the offsets stand still ──► counting
 *       └── any trouble: forget what is not written, begin again at the offsets in Postgres ──┘
 *
 * Every process of a region may run one. The statement that adds counts compares offsets first, so
 * nothing is counted twice; watching only spares reading what somebody else reads already. A crash
 * loses at most what was read since the last checkpoint, and that is read again.
 */
export class LogCounter {
  readonly #options: LogCounterOptions;
  readonly #reader: LogReader;
  readonly #closing = new AbortController();
  readonly #running: Promise<void>;
  #isTroubled = false;

  constructor(options: LogCounterOptions) {
    this.#options = options;
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
    const { log } = this.#options;
    while (!this.#closing.signal.aborted) {
      try {
        await this.#countUntilOvertaken();
        await this.#watchWhileOthersCount();
      } catch (error) {
        // One line an outage, not one an attempt.
        if (!this.#isTroubled) log.warn({ err: error }, 'the log cannot be counted now');
        this.#isTroubled = true;
        await this.#skipIfLost(error).catch(() => undefined);
        await sleep(retryMs, this.#closing.signal);
      }
    }
  }

  async #countUntilOvertaken(): Promise<void> {
    const { pool, region, log } = this.#options;
    const no = await regionNo(pool, region);
    this.#reader.assign(new Map());
    this.#reader.assign(await this.#readOffsets(no));
    const tally = new Tally();
    let dueMs = performance.now() + checkpointMs;
    let closing = false;
    while (!closing) {
      closing = this.#closing.signal.aborted;
      const waitMs = closing ? 0 : Math.max(0, dueMs - performance.now());
      for (const batch of await this.#reader.take(recordsAtOnceMax, waitMs)) tally.add(batch);
      if (performance.now() < dueMs && !closing) continue;
      dueMs = performance.now() + checkpointMs;
      this.#measureLag();
      const counts = tally.takeAll();
      if (counts.length > 0) {
        const moved = await addLogCounts(pool, no, counts);
        if (moved.size < counts.length) return;
      }
      if (this.#isTroubled) log.info('the log is counted again');
      this.#isTroubled = false;
    }
  }

  async #watchWhileOthersCount(): Promise<void> {
    const { pool, region, random, log } = this.#options;
    if (this.#closing.signal.aborted) return;
    log.debug('another process counts this log');
    const no = await regionNo(pool, region);
    let before = await this.#readOffsets(no);
    for (;;) {
      // Jittered: two that step back together must not come back together.
      await sleep(watchMs * (1 + random()), this.#closing.signal);
      if (this.#closing.signal.aborted) return;
      const now = await this.#readOffsets(no);
      if ([...now].every(([partition, offset]) => before.get(partition) === offset)) return;
      before = now;
    }
  }

  async #readOffsets(no: number): Promise<Map<number, number>> {
    const { pool, topic, brokers } = this.#options;
    const kafka = { brokers, clientId: `records-${process.pid}` };
    return readLogOffsets(pool, no, await readLogBounds(kafka, topic, 'earliest'));
  }

  /** Records that left the log uncounted are gone for the balance: said loudly, then gone past. */
  async #skipIfLost(error: unknown): Promise<void> {
    if (!(error instanceof OffsetOutOfRangeError)) return;
    const { pool, topic, brokers, region, log, metrics } = this.#options;
    const kafka = { brokers, clientId: `records-${process.pid}` };
    const starts = await readLogBounds(kafka, topic, 'earliest');
    const { partition, offset } = error;
    const next = starts[partition] ?? 0;
    // Past the log's end: this is another log than the one that was counted. People must look.
    if (next <= offset) return;
    const lost = { partition, from: offset, next };
    if (!(await skipLostRecords(pool, await regionNo(pool, region), lost))) return;
    metrics.logRecordsMissed.inc(next - offset);
    log.error({ ...lost }, 'records left the log before they were counted');
  }

  #measureLag(): void {
    const positions = this.#reader.positions();
    let lag = 0;
    for (const [partition, end] of this.#reader.logEnds()) {
      lag += Math.max(0, end - (positions.get(partition) ?? end));
    }
    this.#options.metrics.logCounterLag.set(lag);
  }
}
