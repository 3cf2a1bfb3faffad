import type { ConfigOf } from '#common/config.ts';
import { topicName } from '#common/contracts/topics.ts';
import { followTopic } from '#common/follow-topic.ts';
import { createHttpServer, listen, listener } from '#common/http-server.ts';
import { checkDurability } from '#common/kafka-settings.ts';
import { createRedis } from '#common/redis.ts';
import { watchSafeguards } from '#common/safeguards.ts';
import type { Running, ServiceContext } from '#common/service.ts';
import { createIntakeApp } from './app.ts';
import { Claims } from './claims.ts';
import type { config } from './config.ts';
import { createIntakeMetrics } from './metrics.ts';
import { ProduceQueue } from './produce-queue.ts';
import { RedisClaimStore } from './redis-claim-store.ts';
import { Sessions } from './sessions.ts';
import { createVoteCrypto } from './vote-crypto.ts';
import { KafkaVoteLog } from './vote-log.ts';

/** Behind the sessions topic for longer than this, a closing time may have been missed. */
const behindMsMax = 5000;
const redisCommandMs = 100;

/** Wires intake: the stores it may lose (Redis), the log it may not (Kafka), the one route. */
export async function start(context: ServiceContext<ConfigOf<typeof config>>): Promise<Running> {
  const { config: values, log, clock, random } = context;
  checkDurability(values.durability, values.kafkaReplication);
  const kafka = { brokers: values.kafkaBrokers, clientId: `intake-${process.pid}` };
  const redis = createRedis({
    url: values.redisUrl,
    name: 'intake',
    commandMs: redisCommandMs,
    log,
  });
  const safeguards = watchSafeguards(context, kafka.clientId, redis);
  const topic = topicName(values.topicPrefix, 'vote-submitted');
  const voteLog = new KafkaVoteLog({ ...kafka, topic, log });
  const queue: ProduceQueue = new ProduceQueue({
    log: voteLog,
    clock,
    durability: values.durability,
    observer: {
      attempted: (outcome, records, seconds) => metrics.attempted(outcome, records, seconds),
    },
  });
  const metrics = createIntakeMetrics(context.metrics, () => queue.held);
  const limits = {
    voterBurst: 10,
    voterRefillPerS: 1,
    addressBallotsPerMinute: values.addressBallotsPerMinute,
    addressOthersPerMinute: values.addressOthersPerMinute,
  };
  const crypto = createVoteCrypto(values.confirmationKey, () => values.receiptKey);
  const claims = new Claims({
    store: new RedisClaimStore({
      redis,
      prefix: values.redisPrefix,
      limits,
      nameKey: values.confirmationKey,
    }),
    limits,
    clock,
    log,
    random8: crypto.random8,
    onAway: metrics.redisAway,
  });
  const sessions = new Sessions();
  const sessionsTopic = topicName(values.topicPrefix, 'sessions');
  const follower = followTopic({ ...kafka, topic: sessionsTopic, log }, (records) =>
    sessions.apply(records),
  );
  const isCurrent = (): boolean => follower.caughtUp() && follower.behindMs() <= behindMsMax;
  // Whoever asks all the same gets no promise either.
  const isReady = (): boolean => isCurrent() && safeguards.notReady().length === 0;
  const { region, originSecrets } = values;
  const app = createIntakeApp(
    {
      log,
      region,
      originSecrets,
      observe: (request, seconds) => metrics.answered(answerCode(request), seconds),
    },
    {
      region,
      clockErrorMs: safeguards.clockErrorMs,
      crypto,
      sessions,
      claims,
      queue,
      clock,
      random,
      isReady,
    },
  );
  const server = createHttpServer(listener(app));
  await listen(server, values.host, values.port);
  return {
    server,
    notReady: () => [
      ...safeguards.notReady(),
      ...(isCurrent() ? [] : [`the sessions topic was last read to its end too long ago`]),
      ...(sessions.ballotKeys.size > 0 ? [] : ['no ballot key is known yet']),
      ...(voteLog.partitions().some(({ leader }) => leader >= 0) ? [] : ['no partition is led']),
    ],
    drain: async () => {
      await queue.idle();
      await follower.close();
      await voteLog.close();
      await safeguards.close();
      redis.disconnect();
    },
  };
}

/** `accepted`, or the error's code: the one label that requests are counted by. */
function answerCode(context: { status: number; state: { errorCode?: string } }): string {
  return context.status === 201 ? 'accepted' : (context.state.errorCode ?? 'other');
}
