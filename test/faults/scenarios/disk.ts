import { execFileSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { mkdir, open, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BrokerNode } from '../lab/kafka-cluster.ts';
import type { Victim } from '../lab/victim.ts';
import type { Scenario } from '../scenario.ts';

const f28: Scenario = {
  id: 'F28',
  fault: 'Kafka: power loss of one broker after the other',
  done: (scale) =>
    `kill -9, the last third of each active segment cut off, recovery points dropped, start; ${scale === 'short' ? 'two brokers' : 'each broker, three times'}`,
  run: async (stage) => {
    const { brokers } = stage.lab.home.kafka;
    const load = stage.load();
    for (let round = 0; round < stage.pick(2, 9); round += 1) {
      await stage.seconds(3);
      const broker = brokers[round % brokers.length]!;
      await broker.process.kill();
      const cut = await loseTail(broker);
      stage.note(`${cut} segments cut`);
      await broker.process.start();
      // It must be in sync again before the next: two of three at once lose what was acked.
      await stage.lab.home.kafka.heal();
    }
    stage.healed();
    await load.end();
  },
};

const f35: Scenario = {
  id: 'F35',
  fault: 'Kafka: disk full on one broker',
  done: (scale) =>
    `its log on a tmpfs that is filled to the last byte for ${fullS[scale]} s; root only`,
  run: async (stage) => {
    const { kafka } = stage.lab.home;
    const { process, dataDir } = kafka.brokers[2]!;
    await onTmpfs(process, dataDir, async () => {
      const load = stage.load();
      await stage.seconds(3);
      await fill(join(dataDir, 'ballast'));
      await stage.seconds(fullS[stage.scale]);
      await rm(join(dataDir, 'ballast'));
      stage.expect('the others go on', kafka.brokers[0]!.process.isUp, 'two brokers are up');
      await process.end();
      await process.start();
      stage.healed();
      await stage.seconds(2);
      await load.end();
    });
  },
};

const f50d: Scenario = {
  id: 'F50d',
  fault: 'Postgres: disk full',
  done: (scale) =>
    `the primary on a tmpfs that is filled to the last byte for ${fullS[scale]} s; root only`,
  run: async (stage) => {
    const { process, dataDir } = stage.lab.postgres.primary;
    await onTmpfs(process, dataDir, async () => {
      const load = stage.load();
      await stage.seconds(3);
      const before = process.logText().length;
      await fill(join(dataDir, 'ballast'));
      await stage.seconds(fullS[stage.scale]);
      await rm(join(dataDir, 'ballast'));
      // Without room for its log it gives up by itself.
      stage.note(process.isUp ? 'the server lived on' : 'the server ended by itself');
      await process.heal();
      stage.healed();
      await stage.seconds(2);
      await load.end();
      const errors = process.logText().slice(before).split('No space left').length - 1;
      stage.note(`${errors} statements found no room`);
      stage.expect('Postgres was full', errors > 0, `${errors}`);
      stage.expectNoneFailed();
    });
  },
};

export const diskScenarios: readonly Scenario[] = [f28, f35, f50d];

const fullS = { short: 8, full: 30 };
const spareMb = 100;

/** Acts while a process keeps its files on a tmpfs with little room to spare. */
async function onTmpfs(process: Victim, dataDir: string, act: () => Promise<void>): Promise<void> {
  const aside = `${dataDir}.aside`;
  const copy = (from: string, to: string): void => {
    // Sparse indexes stay sparse.
    execFileSync('cp', ['-a', '--sparse=always', `${from}/.`, to]);
  };
  await process.end();
  execFileSync('mv', [dataDir, aside]);
  await mkdir(dataDir);
  const usedMb = Number.parseInt(execFileSync('du', ['-sm', aside], { encoding: 'utf8' }), 10);
  const options = `size=${usedMb + spareMb}m,mode=0700`;
  execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', dataDir]);
  try {
    copy(aside, dataDir);
    await process.start();
    await act();
    await process.end();
    await rm(aside, { recursive: true });
    await mkdir(aside, { mode: 0o700 });
    copy(dataDir, aside);
  } finally {
    await process.kill();
    execFileSync('umount', ['-l', dataDir]);
    await rm(dataDir, { recursive: true });
    execFileSync('mv', [aside, dataDir]);
    await process.start();
  }
}

/** What a machine without power forgets: the tail that was not written, and what says where it is. */
async function loseTail({ dataDir }: BrokerNode): Promise<number> {
  const segments = globSync(join(dataDir, 'log/vote-submitted-*/*.log'));
  let cut = 0;
  for (const segment of segments) {
    const { size } = await stat(segment);
    if (size === 0) continue;
    await truncate(segment, Math.floor((size * 2) / 3));
    cut += 1;
  }
  for (const name of ['recovery-point-offset-checkpoint', '.kafka_cleanshutdown']) {
    await rm(join(dataDir, 'log', name), { force: true });
  }
  return cut;
}

async function fill(path: string): Promise<void> {
  const file = await open(path, 'w');
  try {
    const piece = Buffer.alloc(1024 * 1024);
    for (;;) await file.write(piece);
  } catch {
    // ENOSPC: that is what is wanted; the last bytes one by one.
    await writeFile(`${path}.rest`, Buffer.alloc(4096)).catch(() => undefined);
  } finally {
    await file.close();
  }
  await rm(`${path}.rest`, { force: true });
}
