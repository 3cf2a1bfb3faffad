import type { ConfigOf } from '#common/config.ts';
import { topicName } from '#common/contracts/topics.ts';
import { followTopic } from '#common/follow-topic.ts';
import { Gate } from '#common/gate.ts';
import { createHttpServer, listener } from '#common/http-server.ts';
import { checkDurability } from '#common/kafka-settings.ts';
import { listenPublic } from '#common/listen-public.ts';
import { createRedis, type Redis } from '#common/redis.ts';
import { watchSafeguards } from '#common/safeguards.ts';
import type { Running, ServiceContext } from '#common/service.ts';
import { shedding } from '#common/shed.ts';
import { createIntakeApp } from './app.ts';
import { Claims } from './claims.ts';
import type { config } from './config.ts';
import { LimitedTokens } from './limited-tokens.ts';
import { createIntakeMetrics, type IntakeMetrics } from './metrics.ts';
import { ProduceQueue } from './produce-queue.ts';
import { voterBurst, voterRefillPerS } from './rate-limits.ts';
import { ReceiptKey } from './receipt-key.ts';
import { RedisClaimStore } from './redis-claim-store.ts';
import { Sessions } from './sessions.ts';
import { StandbyLog } from './standby-log.ts';
import { createVoteCrypto } from './vote-crypto.ts';
import { KafkaVoteLog } from './vote-log.ts';

/** Behind the sessions topic for longer than this, a closing time may have been missed. */
const behindMsMax = 5000;
const redisCommandMs = 100;
/** Each holds a socket and its buffers, about 20 kB; the edge keeps a few hundred. */
const connectionsMax = 20_000;

type Context = ServiceContext<ConfigOf<typeof config>>;

/** Wires intake: the stores it may lose (Redis), the log it may not (Kafka), the one route. */
export async function start(context: Context): Promise<Running> {
  const { config: values, log, clock, random, loopTrouble } = context;
  checkDurability(values.durability, values.kafkaReplication);
  const { region, redisUrl: url } = values;
  const kafka = { brokers: values.kafkaBrokers, clientId: `intake-${process.pid}` };
  const redis = createRedis({ url, name: 'intake', commandMs: redisCommandMs, log });
  const safeguards = watchSafeguards(context, kafka.clientId, redis);
  const receiptKey = new ReceiptKey(values.receiptKey, { clock, log });
  const metrics: IntakeMetrics = createIntakeMetrics(context.metrics, {
    queueHeld: () => logs.queue.held,
    inFlight: () => gate.inFlight,
    pressure: () => gate.pressure(),
    receiptKeyReadable: () => receiptKey.isReadable,
    standbyAway: () => logs.standby?.isAway ?? false,
  });
  const logs = createLogs(context, kafka.clientId, metrics, safeguards.areCopiesSafe);
  const gate = new Gate({ clock, random, waitedMs: () => logs.queue.waitedMs() });
  const crypto = createVoteCrypto(values.confirmationKey, () => receiptKey.current);
  const claims = createClaims(context, redis, crypto.random8, metrics);
  const sessions = new Sessions();
  const topic = topicName(values.topicPrefix, 'sessions');
  const follower = followTopic({ ...kafka, topic, log }, (records) => sessions.apply(records));
  const notReady = (): readonly string[] => [
    ...safeguards.notReady(),
    ...(follower.caughtUp() && follower.behindMs() <= behindMsMax
      ? []
      : ['the sessions topic was last read to its end too long ago']),
    // What it accepted now would never be read.
    ...(sessions.isLost(region) ? [`region ${region} was declared lost`] : []),
  ];
  const app = createIntakeApp(
    {
      log,
      region,
      originSecrets: values.originSecrets,
      observe: (request, seconds) => metrics.answered(answerCode(request), seconds),
    },
    {
      region,
      clockErrorMs: safeguards.clockErrorMs,
      crypto,
      sessions,
      claims,
      queue: logs.queue,
      clock,
      random,
      // Whoever asks all the same gets no promise either. After a standstill the clock, the topics
      // and the region are as they were before it, until they are heard of again.
      isReady: () => loopTrouble() === undefined && notReady().length === 0,
      gate,
      limitedTokens: new LimitedTokens(clock),
    },
  );
  const onRefused = (seconds: number): void => metrics.answered('overloaded', seconds);
  const server = createHttpServer(shedding(listener(app), gate, onRefused));
  await listenPublic(server, values.host, values.port, connectionsMax);
  return {
    server,
    notReady: () => [
      ...notReady(),
      ...(sessions.ballotKeys.size > 0 ? [] : ['no ballot key is known yet']),
      ...(logs.isLed() ? [] : ['no partition is led']),
    ],
    drain: async () => {
      await logs.close();
      await Promise.all([follower.close(), safeguards.close(), receiptKey.close()]);
      gate.close();
      redis.disconnect();
    },
  };
}

/** The region's own log and, with two regions, the other's, behind the one queue. */
function createLogs(
  context: Context,
  clientId: string,
  metrics: IntakeMetrics,
  isSafe: () => boolean,
) {
  const { config: values, log, clock } = context;
  const { topicPrefix: prefix, standbyBrokers, standbyAway: choice } = values;
  const topic = topicName(prefix, 'vote-submitted');
  const own = new KafkaVoteLog({ brokers: values.kafkaBrokers, clientId, topic, log });
  let other: KafkaVoteLog | undefined;
  let standby: StandbyLog | undefined;
  if (values.durability === 'two-regions') {
    if (standbyBrokers.length === 0) {
      throw new Error('VOTE_DURABILITY=two-regions needs VOTE_STANDBY_BROKERS');
    }
    const copies = topicName(prefix, 'vote-standby');
    other = new KafkaVoteLog({ brokers: standbyBrokers, clientId, topic: copies, log });
    const observer = { attempted: metrics.copied };
    standby = new StandbyLog({ standby: other, observer, clock, log, choice, isSafe });
  }
  const queue = new ProduceQueue({
    log: own,
    observer: { attempted: metrics.attempted },
    standby,
    clock,
    durability: values.kafkaReplication === 1 ? 'single' : 'region',
  });
  return {
    queue,
    standby,
    isLed: () => own.partitions().some(({ leader }) => leader >= 0),
    close: async () => {
      await queue.idle();
      await Promise.all([own.close(), other?.close()]);
    },
  };
}

function createClaims(
  { config: values, clock, log }: Context,
  redis: Redis,
  random8: () => Buffer,
  metrics: IntakeMetrics,
): Claims {
  const limits = {
    voterBurst,
    voterRefillPerS,
    addressBallotsPerMinute: values.addressBallotsPerMinute,
    addressOthersPerMinute: values.addressOthersPerMinute,
  };
  const { redisPrefix: prefix, confirmationKey: nameKey } = values;
  const store = new RedisClaimStore({ redis, prefix, limits, nameKey });
  return new Claims({ store, limits, clock, log, random8, onAway: metrics.redisAway });
}

/** `accepted`, or the error's code: the one label that requests are counted by. */
function answerCode(context: { status: number; state: { errorCode?: string } }): string {
  return context.status === 201 ? 'accepted' : (context.state.errorCode ?? 'other');
}
