import { randomUUID } from 'node:crypto';
import type { Producer } from '@platformatic/kafka';
import { SECOND_MS, sleep } from '#common/clock.ts';
import { sealingRegion } from '#common/contracts/seal.ts';
import { type KafkaOptions, readTopicLayout } from '#common/kafka.ts';
import { LogReader } from '#common/log-reader.ts';
import type { Pool } from '#common/postgres.ts';
import { BallotKeys } from './ballot-keys.ts';
import { createBallotCheck } from './check-ballots.ts';
import { createControlCheck } from './check-controls.ts';
import type { LedgerStore, LogLayout } from './ledger-store.ts';
import type { LedgerMetrics } from './metrics.ts';
import type { SealedLog } from './sealer.ts';
import { readApprovalKeys, readBallotKeys, readSealKeys } from './sql/read-keys.ts';
import type { Told } from './told.ts';
import { LedgerWorker, type WorkerParts } from './worker.ts';

/** A log of votes on this region's Kafka, with the worker that counts it. */
export interface CountedLog {
  readonly worker: LedgerWorker;
  readonly sealed: SealedLog;
  /** Watches for partitions that are added; ends when the signal aborts. */
  readonly watch: (ending: AbortSignal) => Promise<void>;
  readonly close: () => Promise<void>;
}

interface LogParts extends Pick<WorkerParts, 'clock' | 'log'> {
  readonly metrics: (log: string) => LedgerMetrics;
  readonly kafka: KafkaOptions;
  /** Full name of the topic. */
  readonly topic: string;
  /** The log's name: the region's, or `region@host`. */
  readonly name: string;
  /** The number by which offsets know the log; makes known what the store must know of it. */
  readonly regionNo: () => Promise<number>;
  readonly pool: Pool;
  readonly store: LedgerStore;
  readonly told: Told;
  /** ms by which this process's clock may be wrong; Infinity while it must not decide anything. */
  readonly clockErrorMs: () => number;
  readonly producer: Producer<Buffer, Buffer, Buffer, Buffer>;
}

/** Half a flush: what comes meanwhile goes into the same batch. */
const paceMs = 25;
/** No session is settled before its log's partitions were asked for once more. */
const layoutMs = 2 * SECOND_MS;

/** Rejects while Kafka cannot be asked; nothing is left open then. */
export async function openCountedLog(parts: LogParts): Promise<CountedLog> {
  const { kafka, topic, name, pool, store, told, producer, clock, log, metrics } = parts;
  const readLayout = async (): Promise<LogLayout & { clusterId: string; topicId: string }> => {
    const readAtMs = Math.max(0, Math.floor(clock.now() - parts.clockErrorMs()));
    const { partitions, ...ids } = await readTopicLayout(producer, topic);
    return { ...ids, partitions: partitions.length, readAtMs };
  };
  const { clusterId, topicId, ...first } = await readLayout();
  let layout: LogLayout = first;
  const source = new LogReader({ ...kafka, topic, paceMs, log });
  const ballotKeys = new BallotKeys({
    told: () => told.ballotKeys,
    read: () => readBallotKeys(pool),
    clock,
  });
  const worker = new LedgerWorker({
    store,
    source,
    checkBallots: createBallotCheck(ballotKeys),
    checkControls: createControlCheck({
      logName: name,
      sealKeys: () => readSealKeys(pool, sealingRegion(name)),
      approvalKeys: () => readApprovalKeys(pool),
    }),
    clock,
    log,
    metrics: metrics(name),
    workerId: randomUUID(),
    identify: async () => ({ regionNo: await parts.regionNo(), clusterId, topicId }),
    layout: () => layout,
    epochSeen: () => told.epoch,
  });
  return {
    worker,
    sealed: {
      name,
      identity: () => worker.identity,
      size: () => layout.partitions,
      append: async (partition, key, value) => {
        await producer.send({ messages: [{ topic, partition, key, value }] });
      },
      isRead: () => worker.held().length > 0,
    },
    watch: async (ending) => {
      while (!ending.aborted) {
        await sleep(layoutMs, ending, clock);
        try {
          const { partitions, readAtMs } = await readLayout();
          layout = { partitions, readAtMs };
        } catch (error) {
          log.debug({ err: error }, 'kafka metadata could not be read');
        }
      }
    },
    close: () => source.close(),
  };
}
