import { sleep } from '#common/clock.ts';
import type { ConfigOf } from '#common/config.ts';
import { topicName } from '#common/contracts/topics.ts';
import { followTopic } from '#common/follow-topic.ts';
import { createProducer } from '#common/kafka.ts';
import { createPool } from '#common/postgres.ts';
import { regionNo } from '#common/region-no.ts';
import { type Safeguards, watchSafeguards } from '#common/safeguards.ts';
import type { Running, ServiceContext } from '#common/service.ts';
import type { config } from './config.ts';
import { type CountedLog, openCountedLog } from './counted-log.ts';
import { Finaliser } from './finaliser.ts';
import { createLedgerMetrics } from './metrics.ts';
import { createPostgresLedgerStore } from './postgres-ledger-store.ts';
import { Sealer } from './sealer.ts';
import { Settler } from './settler.ts';
import { keepSealKey } from './sql/keep-seal-key.ts';
import { listAgreed } from './sql/list-agreed.ts';
import { recount } from './sql/recount.ts';
import { standbyNo } from './sql/standby-no.ts';
import { Told } from './told.ts';

const connectRetryMs = 500;
/** Keys and epochs are for the rare case: a fetch a second is enough. */
const toldPaceMs = 1000;

type Context = ServiceContext<ConfigOf<typeof config>>;

/** Wires the ledger of a region: its Kafka on one side, the one Postgres on the other. */
export async function start(context: Context): Promise<Running> {
  const { log, draining } = context;
  const safeguards = watchSafeguards(context, `ledger-${process.pid}`);
  const stores = openStores(context);
  let ledger: Ledger | undefined;
  const work = async (): Promise<void> => {
    while (!draining.aborted && ledger === undefined) {
      try {
        ledger = await openLedger(context, stores, safeguards);
      } catch (error) {
        log.warn({ err: error }, 'kafka or postgres is not there yet');
        await sleep(connectRetryMs, draining);
      }
    }
    await ledger?.run(draining);
  };
  const working = work().catch((error: unknown) =>
    context.fail(error, 'the log cannot be counted any further; a person must look'),
  );
  return {
    notReady: () => [...safeguards.notReady(), ...(ledger?.notReady() ?? ['connecting'])],
    drain: async () => {
      await working;
      await ledger?.close();
      await safeguards.close();
      await stores.close();
    },
  };
}

type Stores = ReturnType<typeof openStores>;

function openStores({ config: values, log }: Context) {
  const kafka = { brokers: values.kafkaBrokers, clientId: `ledger-${process.pid}` };
  const told = new Told();
  const pool = createPool({
    url: values.postgresUrl,
    applicationName: `ledger-${values.region}`,
    // A batch of each log, seals, and two for settling and making final, which may take long.
    connectionsMax: 5,
    writerTold: () => told.writer,
    log,
  });
  const producer = createProducer(kafka);
  const topic = (name: 'sessions' | 'vote-aggregated'): Parameters<typeof followTopic>[0] => ({
    ...kafka,
    topic: topicName(values.topicPrefix, name),
    paceMs: toldPaceMs,
    log,
  });
  const followers = [
    followTopic(topic('sessions'), (records) => told.hearSessions(records)),
    followTopic(topic('vote-aggregated'), (records) => told.hearTotals(records)),
  ];
  return {
    kafka,
    pool,
    producer,
    told,
    /** False until everything was heard that stood in Kafka at the start: an epoch, above all. */
    hasHeard: () => followers.every((follower) => follower.caughtUp()),
    close: async () => {
      await Promise.all(followers.map((follower) => follower.close()));
      await producer.close();
      await pool.end();
    },
  };
}

interface Ledger {
  readonly run: (ending: AbortSignal) => Promise<void>;
  readonly notReady: () => readonly string[];
  readonly close: () => Promise<void>;
}

async function openLedger(
  context: Context,
  { kafka, pool, producer, told, hasHeard }: Stores,
  safeguards: Safeguards,
): Promise<Ledger> {
  const { config: values, log, clock, draining } = context;
  while (!hasHeard() && !draining.aborted) await sleep(50, draining);
  const { region, standbyOf, topicPrefix, sealKey } = values;
  const store = createPostgresLedgerStore(pool);
  const metrics = createLedgerMetrics(context.metrics);
  const keepKey = (): Promise<void> => keepSealKey(pool, region, sealKey.publicJwk);
  const clockErrorMs = (): number =>
    safeguards.clockDoubts().length > 0 ? Number.POSITIVE_INFINITY : safeguards.clockErrorMs();
  const shared = { kafka, pool, producer, told, store, metrics, clock, clockErrorMs, log };
  const own = await openCountedLog({
    ...shared,
    topic: topicName(topicPrefix, 'vote-submitted'),
    name: region,
    regionNo: async () => {
      await keepKey();
      return regionNo(pool, region);
    },
  });
  const logs: CountedLog[] = [own];
  if (standbyOf !== '') logs.push(await openStandby(shared, values, own));
  const sealer = new Sealer({
    store,
    logs: logs.map(({ sealed }) => sealed),
    held: () => own.worker.held(),
    ownSize: own.sealed.size,
    key: sealKey,
    keepKey,
    clock,
    clockErrorMs: safeguards.clockErrorMs,
    clockDoubts: safeguards.clockDoubts,
    log,
    metrics: metrics(region),
  });
  const settler = new Settler({ store, clock, log, metrics: metrics(region) });
  const finaliser = new Finaliser({
    listAgreed: () => listAgreed(pool),
    recount: (sessionNo, ending) => recount(pool, sessionNo, ending),
    append: own.sealed.append,
    holdsFirst: () => own.worker.held().includes(0),
    clock,
    log,
    metrics: metrics(region),
  });
  return {
    run: async (ending) => {
      await Promise.all([
        ...logs.flatMap(({ worker, watch }) => [worker.run(ending), watch(ending)]),
        sealer.run(ending),
        settler.run(ending),
        finaliser.run(ending),
      ]);
    },
    notReady: () =>
      logs.flatMap(({ worker }) => (worker.trouble === undefined ? [] : [worker.trouble])),
    close: async () => {
      await Promise.all(logs.map((counted) => counted.close()));
    },
  };
}

/** The log of another region's copies. When it cannot be opened, what was opened is closed. */
async function openStandby(
  shared: Omit<Parameters<typeof openCountedLog>[0], 'topic' | 'name' | 'regionNo'>,
  { region, standbyOf, topicPrefix }: ConfigOf<typeof config>,
  own: CountedLog,
): Promise<CountedLog> {
  try {
    return await openCountedLog({
      ...shared,
      topic: topicName(topicPrefix, 'vote-standby'),
      name: `${standbyOf}@${region}`,
      regionNo: () => standbyNo(shared.pool, standbyOf, region),
    });
  } catch (error) {
    await own.close();
    throw error;
  }
}
