import type { Scenario } from '../scenario.ts';
import type { Stage } from '../stage.ts';
import { untilClosing } from './intake.ts';

/** Loaded with LD_PRELOAD, its monotonic clock left alone: a machine whose wall clock is wrong. */
const fakeTime = '/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1';

const f53: Scenario = {
  id: 'F53',
  fault: 'the clock of a core is 5 min off',
  done: () => 'one intake and one ledger restarted under faketime, +5 min and then −5 min',
  run: async (stage) => {
    const { intake, ledger } = stage.lab.home.services;
    const load = stage.load();
    await stage.seconds(2);
    for (const shift of ['+300s', '-300s']) {
      for (const { process } of [intake[0]!, ledger[0]!]) {
        await process.end();
        await process.spawn({
          LD_PRELOAD: fakeTime,
          FAKETIME: shift,
          FAKETIME_DONT_FAKE_MONOTONIC: '1',
        });
      }
      await stage.seconds(6);
      const isReady = await intake[0]!.process.isReady();
      stage.expect(`intake at ${shift} is not ready`, !isReady, isReady ? 'it is' : 'it is not');
      for (const { process } of [intake[0]!, ledger[0]!]) await process.heal();
    }
    stage.healed();
    await load.end();
  },
};

const f54: Scenario = {
  id: 'F54',
  fault: 'votes in flight at closing',
  done: (scale) =>
    `Kafka's answers ${latencyMs[scale]} ms late from 4 s before closing to 6 s after it; a crowd throughout`,
  closesInS: () => 15,
  run: async (stage) => {
    const { brokers } = stage.lab.home.kafka;
    const load = stage.load({ patienceMs: 4000 });
    await untilClosing(stage, -4000);
    for (const { proxy } of brokers) proxy.trouble({ down: { delayMs: latencyMs[stage.scale] } });
    await untilClosing(stage, 6000);
    for (const { proxy } of brokers) proxy.heal();
    stage.healed();
    await load.end();
    await expectSealed(stage);
  },
};

const f55: Scenario = {
  id: 'F55',
  fault: 'whoever seals dies half way',
  done: () => 'both ledgers killed in turn each second from 5 s to 12 s after closing',
  closesInS: () => 10,
  run: async (stage) => {
    const { ledger } = stage.lab.home.services;
    const load = stage.load({ patienceMs: 3000 });
    await untilClosing(stage, 5000);
    for (let round = 0; round < 7; round += 1) {
      const { process } = ledger[round % 2]!;
      await process.kill();
      await process.spawn();
      await stage.seconds(1);
    }
    stage.healed();
    await load.end();
    await expectSealed(stage);
  },
};

const f57: Scenario = {
  id: 'F57',
  fault: 'closing is moved while votes fly',
  done: () => 'the session is extended by 8 s, with effect 10 s ahead, then shortened by 3 s',
  closesInS: () => 14,
  run: async (stage) => {
    const load = stage.load({ patienceMs: 3000 });
    await stage.seconds(1);
    await moveClosing(stage, 8000);
    await stage.seconds(2);
    await moveClosing(stage, -3000);
    await stage.seconds(19);
    stage.healed();
    await load.end();
    await expectSealed(stage);
  },
};

export const closingScenarios: readonly Scenario[] = [f53, f54, f55, f57];

const latencyMs = { short: 1200, full: 1900 };
const sealedMsMax = 60_000;

/** Waits until the session is sealed, as long as a seal may take after closing. */
export async function expectSealed(stage: Stage): Promise<void> {
  const { lab, session } = stage;
  const untilMs = performance.now() + sealedMsMax;
  for (;;) {
    const [row] = await lab.postgres.run<{ sealed_at: Date | null; closes_at: Date }>(
      'SELECT sealed_at, closes_at FROM votes.voting_sessions WHERE session_id = $1',
      [session.sessionId],
    );
    if (row?.sealed_at instanceof Date) {
      const afterS = ((row.sealed_at.getTime() - row.closes_at.getTime()) / 1000).toFixed(1);
      stage.note(`sealed ${afterS} s after closing`);
      return;
    }
    if (performance.now() > untilMs) break;
    await stage.seconds(0.2);
  }
  stage.expect('the session is sealed', false, 'not within 60 s');
}

/** The session closes so long after now. */
export async function closeIn(stage: Stage, seconds: number): Promise<void> {
  await moveClosing(stage, Date.now() + seconds * 1000 - stage.session.closesAtMs);
}

/** As the portal does it, without the portal. */
async function moveClosing({ lab, session }: Stage, byMs: number): Promise<void> {
  await lab.postgres.run(
    `UPDATE votes.voting_sessions SET closes_at = closes_at + make_interval(secs => $2 / 1000.0),
       version = version + 1 WHERE session_id = $1`,
    [session.sessionId, byMs],
  );
}
