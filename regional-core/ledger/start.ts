import { randomUUID } from 'node:crypto';
import { sleep } from '#common/clock.ts';
import type { ConfigOf } from '#common/config.ts';
import { topicName } from '#common/contracts/topics.ts';
import { LogReader } from '#common/log-reader.ts';
import { createPool } from '#common/postgres.ts';
import { regionNo } from '#common/region-no.ts';
import { watchSafeguards } from '#common/safeguards.ts';
import type { Running, ServiceContext } from '#common/service.ts';
import type { config } from './config.ts';
import { createLedgerMetrics } from './metrics.ts';
import { createPostgresLedgerStore } from './postgres-ledger-store.ts';
import { LedgerWorker } from './worker.ts';

const connectRetryMs = 500;

/** Half a flush: what comes meanwhile goes into the same batch. */
const paceMs = 25;

/** Wires one ledger worker: the region's Kafka on one side, the one Postgres on the other. */
export async function start(context: ServiceContext<ConfigOf<typeof config>>): Promise<Running> {
  const { config: values, log, clock, draining } = context;
  const pool = createPool({
    url: values.postgresUrl,
    applicationName: `ledger-${values.region}`,
    // One batch at a time, and one connection to find out how the last one ended.
    connectionsMax: 2,
    log,
  });
  const reader = new LogReader({
    brokers: values.kafkaBrokers,
    clientId: `ledger-${process.pid}`,
    topic: topicName(values.topicPrefix, 'vote-submitted'),
    paceMs,
    log,
  });
  const safeguards = watchSafeguards(context, `ledger-${process.pid}`);
  const metrics = createLedgerMetrics(context.metrics);
  let worker: LedgerWorker | undefined;
  const work = async (): Promise<void> => {
    while (!draining.aborted && worker === undefined) {
      try {
        const { clusterId, topicId, partitions } = await reader.layout();
        worker = new LedgerWorker({
          store: createPostgresLedgerStore(pool),
          source: reader,
          checkBallots: () => Promise.resolve([]),
          clock,
          log,
          metrics,
          workerId: randomUUID(),
          logIdentity: { regionNo: await regionNo(pool, values.region), clusterId, topicId },
          partitions: () => partitions.length,
          epochSeen: () => 0,
        });
      } catch (error) {
        log.warn({ err: error }, 'kafka or postgres is not there yet');
        await sleep(connectRetryMs, draining);
      }
    }
    await worker?.run(draining);
  };
  const working = work().catch((error: unknown) =>
    context.fail(error, 'the log cannot be counted any further; a person must look'),
  );
  return {
    notReady: () => {
      const trouble = worker === undefined ? 'connecting' : worker.trouble;
      return [...safeguards.notReady(), ...(trouble === undefined ? [] : [trouble])];
    },
    drain: async () => {
      await working;
      await safeguards.close();
      await reader.close();
      await pool.end();
    },
  };
}
