import { createProducer } from '#common/kafka.ts';
import { readLog } from '../check/read-log.ts';
import type { Scenario } from '../scenario.ts';
import { expectSealed } from './closing.ts';
import { untilClosing } from './intake.ts';
import { acceptedP99 } from './latency.ts';

const f24: Scenario = {
  id: 'F24',
  fault: 'Kafka: leader killed',
  done: (scale) =>
    `kill -9 of the broker that leads most, back after 8 s, ${scale === 'short' ? 2 : 10} rounds`,
  run: async (stage) => {
    const { kafka } = stage.lab.home;
    const load = stage.load();
    for (let round = 0; round < stage.pick(2, 10); round += 1) {
      await stage.seconds(3);
      const leader = await kafka.busiestLeader();
      await leader.process.kill();
      await stage.seconds(8);
      await leader.process.start();
      await stage.seconds(stage.pick(1, 9));
    }
    stage.healed();
    await load.end();
  },
};

const f25: Scenario = {
  id: 'F25',
  fault: 'Kafka: two of three brokers down',
  done: (scale) => `kill -9 of two for ${scale === 'short' ? 10 : 60} s: fewer in sync than needed`,
  needs: { hasOwnControllers: true },
  run: async (stage) => {
    const { kafka } = stage.lab.home;
    const load = stage.load();
    await stage.seconds(3);
    const downMs = performance.now();
    await Promise.all(kafka.brokers.slice(1).map(({ process }) => process.kill()));
    await stage.seconds(stage.pick(10, 60));
    const upMs = performance.now();
    await Promise.all(kafka.brokers.slice(1).map(({ process }) => process.start()));
    stage.healed();
    await stage.seconds(5);
    await load.end();
    // What was under way when they died may have been answered a moment later.
    const during = stage.history.attempts.filter(
      ({ sentMs, endMs }) => sentMs > downMs + 1000 && endMs < upMs,
    );
    const oks = during.filter(({ outcome }) => outcome === 'ok');
    stage.expect('no 201 meanwhile', oks.length === 0, `${oks.length} of ${during.length}`);
    const refused = during.filter(({ outcome }) => outcome === 'fail');
    stage.expect('nobody is refused for good', refused.length === 0, `${refused.length}`);
  },
};

const f26: Scenario = {
  id: 'F26',
  fault: 'Kafka: leader stopped, and goes on as if nothing had been',
  done: (scale) => `SIGSTOP of the leader for ${scale === 'short' ? 10 : 30} s, then SIGCONT`,
  run: async (stage) => {
    const load = stage.load();
    await stage.seconds(3);
    const leader = await stage.lab.home.kafka.busiestLeader();
    leader.process.pause();
    await stage.seconds(stage.pick(10, 30));
    leader.process.resume();
    stage.healed();
    await stage.seconds(5);
    await load.end();
  },
};

const f27: Scenario = {
  id: 'F27',
  fault: 'Kafka: controller quorum lost',
  done: (scale) =>
    `kill -9 of 2 of 3 controllers (processes of their own) for ${scale === 'short' ? 10 : 60} s`,
  needs: { hasOwnControllers: true },
  run: async (stage) => {
    const { controllers } = stage.lab.home.kafka;
    const load = stage.load();
    await stage.seconds(3);
    const lostMs = performance.now();
    await Promise.all(controllers.slice(1).map((one) => one.kill()));
    await stage.seconds(stage.pick(10, 60));
    const backMs = performance.now();
    await Promise.all(controllers.slice(1).map((one) => one.start()));
    stage.healed();
    await load.end();
    const oks = stage.history.attempts.filter(
      ({ outcome, sentMs, endMs }) => outcome === 'ok' && sentMs > lostMs && endMs < backMs,
    );
    stage.expect('producing goes on', oks.length > 100, `${oks.length} accepted meanwhile`);
  },
};

const f30: Scenario = {
  id: 'F30',
  fault: 'Kafka: produce answered late, and sent again',
  done: () => 'answers of all brokers 0.9 s late for 8 s: an attempt has 0.4 s',
  run: async (stage) => {
    const { brokers } = stage.lab.home.kafka;
    const load = stage.load();
    await stage.seconds(2);
    for (const { proxy } of brokers) proxy.trouble({ down: { delayMs: 900 } });
    await stage.seconds(stage.pick(8, 30));
    for (const { proxy } of brokers) proxy.heal();
    stage.healed();
    await load.end();
  },
};

const f31: Scenario = {
  id: 'F31',
  fault: 'Kafka: many sends at once to one partition',
  done: (scale) =>
    `${canaries(scale)} sends at once with intake's producer, read back: distinct offsets, same bytes`,
  run: async (stage) => {
    const { kafka } = stage.lab.home;
    const topic = 'vote-context';
    const producer = createProducer({ brokers: kafka.addresses, clientId: 'canary' });
    const told = new Map<number, string>();
    let twice = 0;
    try {
      const sends = Array.from({ length: canaries(stage.scale) }, async (_, number) => {
        const value = `canary ${number}`;
        const message = { topic, partition: 0, key: Buffer.alloc(1), value: Buffer.from(value) };
        const { offsets } = await producer.send({ messages: [message] });
        const offset = Number(offsets![0]!.offset);
        if (told.has(offset)) twice += 1;
        told.set(offset, value);
      });
      await Promise.all(sends);
    } finally {
      await producer.close();
    }
    const { records } = await readLog(kafka.addresses, topic);
    const found = new Map(
      records
        .filter(({ partition }) => partition === 0)
        .map(({ offset, value }) => [offset, value?.toString()]),
    );
    const wrong = [...told].filter(([offset, value]) => found.get(offset) !== value);
    stage.expect('no offset was told twice', twice === 0, `${twice} of ${told.size}`);
    stage.expect('each lies where it was told', wrong.length === 0, `${wrong.length} wrong`);
    await stage.loadFor(3);
    stage.healed();
  },
};

const f32: Scenario = {
  id: 'F32',
  fault: 'Kafka: leadership moves while votes are sent',
  done: (scale) =>
    `each broker in turn ends in order and comes back, ${scale === 'short' ? 1 : 5} rounds`,
  run: async (stage) => {
    const load = stage.load();
    for (let round = 0; round < stage.pick(1, 5); round += 1) {
      for (const { process } of stage.lab.home.kafka.brokers) {
        await process.end();
        await process.start();
        await stage.seconds(2);
      }
    }
    stage.healed();
    await load.end();
  },
};

const f34: Scenario = {
  id: 'F34',
  fault: 'Kafka: too few replicas after the append',
  done: (scale) =>
    `both followers of a broker stopped ${scale === 'short' ? 8 : 30} s: it appends and cannot replicate`,
  needs: { hasOwnControllers: true },
  run: async (stage) => {
    const [, ...followers] = stage.lab.home.kafka.brokers;
    const load = stage.load();
    await stage.seconds(3);
    for (const { process } of followers) process.pause();
    await stage.seconds(stage.pick(8, 30));
    for (const { process } of followers) process.resume();
    stage.healed();
    await stage.seconds(5);
    await load.end();
  },
};

const f40: Scenario = {
  id: 'F40',
  fault: 'Kafka: a replica on a slow link',
  done: (scale) =>
    `one broker stopped 0.3 s of each 0.5 s for ${scale === 'short' ? 8 : 60} s: netem is not there; rolling restarts: F32`,
  run: async (stage) => {
    const slow = stage.lab.home.kafka.brokers[2]!.process;
    const load = stage.load();
    await stage.seconds(2);
    for (let beat = 0; beat < stage.pick(16, 120); beat += 1) {
      slow.pause();
      await stage.seconds(0.3);
      slow.resume();
      await stage.seconds(0.2);
    }
    stage.healed();
    await load.end();
    stage.note(`p99 ${acceptedP99(stage, 0, performance.now()).toFixed(0)} ms`);
  },
};

const f38: Scenario = {
  id: 'F38',
  fault: 'Kafka: partitions added while voting goes on',
  done: () =>
    '30 partitions become 33 under load; the session then closes and is sealed in all of them',
  closesInS: () => 25,
  isDestructive: true,
  run: async (stage) => {
    const load = stage.load({ patienceMs: 4000 });
    await stage.seconds(3);
    await stage.lab.home.kafka.addPartitions('vote-submitted', 33);
    await untilClosing(stage, 1000);
    stage.healed();
    await load.end();
    await expectSealed(stage);
  },
};

export const kafkaScenarios: readonly Scenario[] = [
  f24,
  f25,
  f26,
  f27,
  f30,
  f31,
  f32,
  f34,
  f38,
  f40,
];

function canaries(scale: string): number {
  return scale === 'short' ? 500 : 5000;
}
