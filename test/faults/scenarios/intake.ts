import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { Scenario } from '../scenario.ts';
import type { Stage } from '../stage.ts';

const rounds = { short: 3, full: 20 };

const f8: Scenario = {
  id: 'F8',
  fault: 'intake killed between claim and produce',
  done: (scale) =>
    `what intake sends to Kafka is swallowed for 0.3 s, then kill -9, ${rounds[scale]} rounds`,
  run: async (stage) => {
    const { kafka } = stage.lab.home;
    await killInside(stage, () => {
      for (const { proxy } of kafka.brokers) proxy.trouble({ up: { swallow: true } });
    });
    const told = stage.history.attempts.filter(({ code }) => code === 'duplicate_vote');
    stage.expect('nobody is told to have voted already', told.length === 0, `${told.length}`);
  },
};

const f9: Scenario = {
  id: 'F9',
  fault: 'intake killed between produce and ack, and between ack and answer',
  done: (scale) =>
    `Kafka's answers are swallowed for 0.3 s, then kill -9, ${rounds[scale]} rounds; answers to voters: F1`,
  run: async (stage) => {
    const { kafka } = stage.lab.home;
    await killInside(stage, () => {
      for (const { proxy } of kafka.brokers) proxy.trouble({ down: { swallow: true } });
    });
  },
};

/** A crowd, and in it rounds of: break something for a moment, kill an intake, mend, start it. */
async function killInside(stage: Stage, breakIt: () => void): Promise<void> {
  const { kafka, services } = stage.lab.home;
  const load = stage.load();
  for (let round = 0; round < rounds[stage.scale]; round += 1) {
    await stage.seconds(2);
    const victim = services.intake[round % services.intake.length]!.process;
    breakIt();
    await stage.seconds(0.3);
    await victim.kill();
    for (const { proxy } of kafka.brokers) proxy.heal();
    await stage.seconds(1);
    await victim.start();
  }
  await stage.seconds(2);
  stage.healed();
  await load.end();
  const unanswered = new Set(stage.history.attempts.map(({ voteId }) => voteId));
  for (const { voteId, outcome } of stage.history.attempts) {
    if (outcome === 'ok') unanswered.delete(voteId);
  }
  stage.expect(
    'every voter is accepted in the end',
    unanswered.size === 0,
    `${unanswered.size} not`,
  );
}

const f11: Scenario = {
  id: 'F11',
  fault: 'intake stopped across closing and grace',
  done: () => 'SIGSTOP of one intake 2 s before closing, SIGCONT 8 s after it',
  closesInS: () => 14,
  run: async (stage) => {
    const victim = stage.lab.home.services.intake[0]!.process;
    const load = stage.load({ patienceMs: 5000 });
    await untilClosing(stage, -2000);
    victim.pause();
    await untilClosing(stage, 8000);
    victim.resume();
    await stage.seconds(2);
    stage.healed();
    await load.end();
    const boundMs = stage.session.closesAtMs + graceMs;
    const behind = stage.history.attempts.filter(
      ({ outcome, endMs }) => outcome === 'ok' && endMs + performance.timeOrigin > boundMs + 100,
    );
    stage.expect('no 201 comes after closing and grace', behind.length === 0, `${behind.length}`);
  },
};

const f12: Scenario = {
  id: 'F12',
  fault: 'rolling deploy under load',
  done: (scale) => `SIGTERM of each service in turn, ${scale === 'short' ? 1 : 5} times round`,
  run: async (stage) => {
    const load = stage.load();
    await stage.seconds(2);
    let drainedMsMax = 0;
    for (let round = 0; round < stage.pick(1, 5); round += 1) {
      for (const { process } of stage.lab.home.all) {
        const startedMs = performance.now();
        const isDrained = await process.end();
        drainedMsMax = Math.max(drainedMsMax, performance.now() - startedMs);
        if (!isDrained) stage.expect(`${process.id} drains`, false, 'it had to be killed');
        await process.start();
      }
    }
    stage.healed();
    await load.end();
    const seconds = (drainedMsMax / 1000).toFixed(1);
    stage.expect('each has drained within 30 s', drainedMsMax < 30_000, `${seconds} s`);
    stage.note(`longest drain ${seconds} s`);
    const voters = Map.groupBy(stage.history.attempts, ({ voteId }) => voteId);
    const failed = [...voters.values()].filter(
      (all) => !all.some(({ outcome }) => outcome === 'ok'),
    );
    stage.expect('nobody fails after retries', failed.length === 0, `${failed.length} voters`);
  },
};

const f14: Scenario = {
  id: 'F14',
  fault: 'heap bounded while Kafka stalls',
  done: (scale) =>
    `one intake with a heap of 128 MB, all brokers stopped ${scale === 'short' ? 8 : 30} s at 400 votes/s`,
  run: async (stage) => {
    const { kafka, services } = stage.lab.home;
    const [one, other] = services.intake.map(({ process }) => process);
    await one!.end();
    await other!.end();
    await one!.start({ NODE_OPTIONS: '--max-old-space-size=128' });
    const { pid } = one!;
    const load = stage.load({ rate: 400, patienceMs: 20_000 });
    await stage.seconds(2);
    for (const { process } of kafka.brokers) process.pause();
    await stage.seconds(stage.pick(8, 30));
    for (const { process } of kafka.brokers) process.resume();
    stage.healed();
    await stage.seconds(3);
    await load.end();
    stage.expect('it is the same process still', one!.isUp && one!.pid === pid, `pid ${pid}`);
    const busy = stage.history.attempts.filter(({ status }) => status === 503);
    stage.expect(
      'voters were told to come again',
      busy.length > 0,
      `${busy.length} answers of 503`,
    );
  },
};

const f13: Scenario = {
  id: 'F13',
  fault: 'event loop blocked',
  done: () => 'a failpoint keeps the loop of one intake busy for 2 s, three times',
  run: async (stage) => {
    const { process: victim } = stage.lab.home.services.intake[0]!;
    await victim.end();
    await victim.start({ NODE_OPTIONS: `--import=${blockLoop}` });
    const load = stage.load();
    const told: boolean[] = [];
    for (let round = 0; round < 3; round += 1) {
      await stage.seconds(3);
      process.kill(victim.pid, 'SIGUSR2');
      await stage.seconds(2.3);
      told.push(!(await victim.isReady()));
      await stage.seconds(4);
    }
    stage.healed();
    await load.end();
    stage.expect('it is not ready just after', told.every(Boolean), told.join(' '));
  },
};

const f15: Scenario = {
  id: 'F15',
  fault: 'receipt key missing at run time',
  done: () =>
    "the key's file is gone for 6 s under load; an intake started meanwhile does not start",
  run: async (stage) => {
    const path = join(stage.lab.ground.folder, 'secrets', `receipt-key-${stage.lab.home.name}.jwk`);
    const { process: victim } = stage.lab.home.services.intake[0]!;
    const load = stage.load();
    await stage.seconds(2);
    await rename(path, `${path}.away`);
    await stage.seconds(4);
    await victim.kill();
    await victim.spawn();
    await stage.seconds(2);
    const isServing = await victim.isReady();
    await rename(`${path}.away`, path);
    await victim.start();
    stage.healed();
    await stage.seconds(2);
    await load.end();
    stage.expect('without a key nothing is served', !isServing, isServing ? 'it is' : 'it is not');
    const unsigned = stage.history.attempts.filter(
      ({ outcome, answer }) => outcome === 'ok' && answer?.receipt === undefined,
    );
    stage.expect('no 201 is unsigned', unsigned.length === 0, `${unsigned.length}`);
  },
};

export const intakeScenarios: readonly Scenario[] = [f8, f9, f11, f12, f13, f14, f15];

const blockLoop = join(import.meta.dirname, '../failpoints/block-loop.ts');

const graceMs = 5000;

/** Resolves so long after (or, negative, before) the session's closing. */
export async function untilClosing(stage: Stage, afterMs: number): Promise<void> {
  await stage.seconds(Math.max(0, stage.session.closesAtMs + afterMs - Date.now()) / 1000);
}
