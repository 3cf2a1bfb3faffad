import type { ConfigOf } from '#common/config.ts';
import { topicName } from '#common/contracts/topics.ts';
import { createCopies } from '#common/copies.ts';
import { createProducer } from '#common/kafka.ts';
import { createPool } from '#common/postgres.ts';
import type { Running, ServiceContext } from '#common/service.ts';
import type { config } from './config.ts';
import { createPublisherMetrics } from './metrics.ts';
import { postgresStore } from './postgres-store.ts';
import { sendTo } from './publish.ts';
import { Publisher } from './publisher.ts';
import { nothingTold, readTold } from './told.ts';

/** Wires the publisher: the one Postgres on one side, the region's Kafka on the other. */
export function start(context: ServiceContext<ConfigOf<typeof config>>): Promise<Running> {
  const { config: values, log, clock, draining } = context;
  const kafka = { brokers: values.kafkaBrokers, clientId: `publisher-${process.pid}` };
  const totalsTopic = topicName(values.topicPrefix, 'vote-aggregated');
  const sessionsTopic = topicName(values.topicPrefix, 'sessions');
  const producer = createProducer(kafka);
  let { writer } = nothingTold;
  const pool = createPool({
    url: values.postgresUrl,
    applicationName: `publisher-${values.region}`,
    // Sessions, keys and totals are read side by side; one may wait for copies.
    connectionsMax: 4,
    // What a standby or a writer left behind says of sessions and totals is not to be told.
    writerTold: () => writer,
    log,
  });
  let publisher: Publisher | undefined;
  const work = async (): Promise<void> => {
    const options = { ...kafka, log };
    const told = await readTold(
      {
        totals: { ...options, topic: totalsTopic },
        sessions: { ...options, topic: sessionsTopic },
      },
      draining,
    );
    writer = told.writer;
    const metrics = createPublisherMetrics(context.metrics);
    const copiesMin = values.postgresCopies;
    const copies = createCopies({ pool, copiesMin, clock, onLate: metrics.copiesLate });
    publisher = new Publisher({
      store: postgresStore(pool, copies),
      clock,
      log,
      metrics,
      sendTotals: sendTo(producer, totalsTopic),
      sendSessions: sendTo(producer, sessionsTopic),
      told,
    });
    await publisher.run(draining);
  };
  const working = work().catch((error: unknown) => context.fail(error, 'publishing stopped'));
  return Promise.resolve({
    notReady: () => {
      const trouble = publisher === undefined ? 'reading what was told' : publisher.trouble;
      return trouble === undefined ? [] : [trouble];
    },
    drain: async () => {
      await working;
      await producer.close();
      await pool.end();
    },
  });
}
