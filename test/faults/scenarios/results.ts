import { readFileSync } from 'node:fs';
import { type Viewer, Viewers } from '../crowd/viewers.ts';
import type { Scenario } from '../scenario.ts';

const f61: Scenario = {
  id: 'F61',
  fault: 'streams whose readers do not read',
  done: (scale) => `${deaf(scale)} sockets that ask for the stream and never read, one that does`,
  run: async (stage) => {
    const { results } = stage.lab.home.services;
    const service = results[0]!;
    const viewers = new Viewers(stage.lab.keys, stage.session.sessionId, service.port);
    try {
      const live = await viewers.open({ isReading: true });
      const before = residentMb(service.process.pid);
      for (let count = deaf(stage.scale); count > 0; count -= 1) {
        await viewers.open({ isReading: false });
      }
      const opened = residentMb(service.process.pid);
      // Before that nobody votes, and a stream has nothing to say.
      const loadMs = performance.now();
      await stage.loadFor(stage.pick(12, 60), { rate: 40 });
      const after = residentMb(service.process.pid);
      stage.healed();
      stage.note(`results ${before} → ${opened} → ${after} MB`);
      const perStreamKb = ((after - opened) * 1000) / deaf(stage.scale);
      stage.expect('memory is bounded', perStreamKb < 100, `${perStreamKb.toFixed(0)} kB a stream`);
      const quietMs = live.longestQuietMs(loadMs);
      stage.expect('who reads is served', quietMs < 2000, `longest quiet ${quietMs.toFixed(0)} ms`);
    } finally {
      viewers.close();
    }
  },
};

const f62: Scenario = {
  id: 'F62',
  fault: 'the results process dies, and all its viewers come back',
  done: (scale) =>
    `${herd(scale)} streams; kill -9, start; each comes back after 0–3 s, with its last event id`,
  run: async (stage) => {
    const service = stage.lab.home.services.results[0]!;
    const viewers = new Viewers(stage.lab.keys, stage.session.sessionId, service.port);
    try {
      const all: Viewer[] = [];
      for (let count = herd(stage.scale); count > 0; count -= 1) {
        all.push(await viewers.open({ isReading: true, comesBack: true }));
      }
      const load = stage.load({ rate: 40 });
      await stage.seconds(3);
      const diedMs = performance.now();
      await service.process.kill();
      await service.process.start();
      stage.healed();
      await stage.seconds(8);
      await load.end();
      const back = all.filter(({ lastEventMs }) => lastEventMs > diedMs + 2000).length;
      stage.expect('everybody is back', back === all.length, `${back} of ${all.length}`);
    } finally {
      viewers.close();
    }
  },
};

const f64: Scenario = {
  id: 'F64',
  fault: 'the publisher dies while a lossy failover is replayed',
  done: () => 'as F45 with 8 s of lost WAL; the publisher is killed twice during the replay',
  run: async (stage) => {
    const { postgres, home } = stage.lab;
    const publisher = home.services.publisher[0]!.process;
    const load = stage.load();
    await stage.seconds(3);
    await postgres.stopReplication();
    await stage.seconds(8);
    await postgres.killPrimary();
    await postgres.failOver();
    for (let round = 0; round < 2; round += 1) {
      await publisher.kill();
      await publisher.spawn();
      await stage.seconds(0.7);
    }
    stage.healed();
    await stage.seconds(5);
    await load.end();
  },
};

export const resultsScenarios: readonly Scenario[] = [f61, f62, f64];

function deaf(scale: string): number {
  return scale === 'short' ? 500 : 5000;
}

function herd(scale: string): number {
  return scale === 'short' ? 300 : 3000;
}

function residentMb(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024);
}
