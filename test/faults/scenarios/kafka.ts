import type { Scenario } from '../scenario.ts';

const f24: Scenario = {
  id: 'F24',
  fault: 'Kafka: leader killed',
  done: (scale) =>
    `kill -9 of the broker that leads most, ${scale === 'short' ? 2 : 10} rounds of 20 s, back after 8 s`,
  run: async (stage) => {
    const { kafka } = stage.lab.home;
    const load = stage.load();
    const rounds = stage.pick(2, 10);
    for (let round = 0; round < rounds; round += 1) {
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

export const kafkaScenarios: readonly Scenario[] = [f24];
