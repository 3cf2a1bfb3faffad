import { execFileSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { cp, mkdir, open, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BrokerNode } from '../lab/kafka-cluster.ts';
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
    `its log on a tmpfs that is filled to the last byte for ${scale === 'short' ? 8 : 30} s; root only`,
  run: async (stage) => {
    const { kafka } = stage.lab.home;
    const broker = kafka.brokers[2]!;
    const aside = `${broker.dataDir}.aside`;
    await broker.process.end();
    execFileSync('mv', [broker.dataDir, aside]);
    await mkdir(broker.dataDir);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=400m', 'tmpfs', broker.dataDir]);
    try {
      // Sparse indexes stay sparse.
      execFileSync('cp', ['-a', '--sparse=always', `${aside}/.`, broker.dataDir]);
      await broker.process.start();
      const load = stage.load();
      await stage.seconds(3);
      await fill(join(broker.dataDir, 'ballast'));
      await stage.seconds(stage.pick(8, 30));
      await rm(join(broker.dataDir, 'ballast'));
      stage.expect('the others go on', kafka.brokers[0]!.process.isUp, 'two brokers are up');
      await broker.process.end();
      await broker.process.start();
      stage.healed();
      await stage.seconds(2);
      await load.end();
      await broker.process.end();
      await rm(aside, { recursive: true });
      await cp(broker.dataDir, aside, { recursive: true });
    } finally {
      await broker.process.kill();
      execFileSync('umount', ['-l', broker.dataDir]);
      await rm(broker.dataDir, { recursive: true });
      execFileSync('mv', [aside, broker.dataDir]);
      await broker.process.start();
    }
  },
};

export const diskScenarios: readonly Scenario[] = [f28, f35];

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
