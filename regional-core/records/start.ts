import { topicName } from '#common/contracts/topics.ts';
import { followTopic } from '#common/follow-topic.ts';
import { createHttpServer, listen, listener } from '#common/http-server.ts';
import { importPublicKeys } from '#common/keys.ts';
import { createPool } from '#common/postgres.ts';
import type { Running, ServiceContext } from '#common/service.ts';
import { createRecordsApp } from './app.ts';
import { measureBalances } from './balance/gauges.ts';
import { BallotKeys } from './ballot-keys.ts';
import type { RecordsConfig } from './config.ts';
import { LogCounter } from './log-counter/log-counter.ts';
import { createRecordsMetrics } from './metrics.ts';
import type { Records } from './records.ts';
import { addressTriesMax, Tries, voteTriesMax } from './vote-state/tries.ts';

const connectionsMax = 10;

/** Wires what is recorded: the state of a vote, the count of the log, the balance of both. */
export async function start(context: ServiceContext<RecordsConfig>): Promise<Running> {
  const { config, log, clock, random, draining } = context;
  const pool = createPool({
    url: config.postgresUrl,
    applicationName: 'records',
    connectionsMax,
    // It writes counts, and a state must not be read from a server that was left behind.
    log,
  });
  const ballotKeys = new BallotKeys();
  const follower = followTopic(
    {
      brokers: config.kafkaBrokers,
      clientId: `records-${process.pid}`,
      topic: topicName(config.topicPrefix, 'sessions'),
      log,
    },
    (records) => ballotKeys.apply(records),
  );
  const metrics = createRecordsMetrics(context.metrics);
  const records: Records = {
    pool,
    ballotKeys: () => ballotKeys.keys,
    receiptKeys: importPublicKeys(config.receiptJwks),
    confirmationKey: config.confirmationKey,
    tries: new Tries(clock, voteTriesMax),
    addressTries: new Tries(clock, addressTriesMax),
    metrics,
    log,
    clock,
    random,
  };
  const { region, standbyOf, topicPrefix } = config;
  const shared = { pool, brokers: config.kafkaBrokers, clock, log, metrics, random };
  const counters = [
    new LogCounter({ ...shared, topic: topicName(topicPrefix, 'vote-submitted'), name: region }),
  ];
  if (standbyOf !== '') {
    const topic = topicName(topicPrefix, 'vote-standby');
    counters.push(new LogCounter({ ...shared, topic, name: `${standbyOf}@${region}` }));
  }
  const measuring = measureBalances(records, draining);
  const server = createHttpServer(listener(createRecordsApp(records, config)));
  await listen(server, config.host, config.port);
  return {
    server,
    // Without the keys every voter would look like a stranger. Postgres away is told by the
    // answers: it is the same for every process.
    notReady: () => (follower.caughtUp() ? [] : ['the ballot keys have not been read yet']),
    drain: async () => {
      await Promise.all([
        ...counters.map((counter) => counter.close()),
        follower.close(),
        measuring,
      ]);
      await pool.end();
    },
  };
}
