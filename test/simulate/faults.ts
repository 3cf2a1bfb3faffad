import type { Cut } from './coverage.ts';
import type { MemoryPartition } from './memory-kafka.ts';
import { regionNames } from './plan.ts';
import type { Random } from './random.ts';
import type { Region } from './region.ts';
import type { Process } from './timeline.ts';
import type { World } from './world.ts';

/** One thing that goes wrong, from a moment on. */
type Fault = (world: World, random: Random, atMs: number) => void;

/** True time left until everything is to be well again, at most `most`. */
function until(world: World, atMs: number, random: Random, most: number): number {
  return Math.min(world.plan.healedMs, atMs + random.whole(200, most));
}

function someRegion(world: World, random: Random): Region {
  return random.pick(world.regions);
}

function storm(points: string, cut: Cut, probability: number): Fault {
  return (world, random, atMs) => {
    const untilMs = until(world, atMs, random, 3000);
    world.timeline.after(atMs, () => {
      world.network.storms.push({ points, cut, probability, untilMs });
    });
  };
}

function somePartition(world: World, random: Random): MemoryPartition {
  const region = someRegion(world, random);
  return random.pick([region.votes, region.standby]).partitions[random.whole(0, 2)]!;
}

/** Leaders come and go: sometimes one, sometimes all of a region for a moment. */
const leaderChanges: Fault = (world, random, atMs) => {
  const region = someRegion(world, random);
  const isAll = random.chance(0.3);
  for (const topic of [region.votes, region.standby]) {
    for (const partition of topic.partitions.keys()) {
      if (!isAll && random.chance(0.5)) continue;
      const awayMs = random.whole(50, 2500);
      const next = random.whole(0, 2);
      const spreadMs = random.whole(0, 800);
      world.timeline.after(atMs + spreadMs, () => topic.loseLeader(partition, awayMs, next));
    }
  }
};

const brokerStalls: Fault = (world, random, atMs) => {
  const partition = somePartition(world, random);
  const untilMs = until(world, atMs, random, 3000);
  world.timeline.after(atMs, () => {
    partition.stalledUntilMs = untilMs;
  });
};

const redisForgets: Fault = (world, random, atMs) => {
  const { redis } = someRegion(world, random);
  world.timeline.after(atMs, () => redis.forgetAll());
};

const redisFailsOver: Fault = (world, random, atMs) => {
  const { redis } = someRegion(world, random);
  const lost = random.whole(1, 15);
  world.timeline.after(atMs, () => redis.failOver(lost));
};

const redisStalls: Fault = (world, random, atMs) => {
  const { redis } = someRegion(world, random);
  const untilMs = until(world, atMs, random, 4000);
  world.timeline.after(atMs, () => {
    redis.stalledUntilMs = untilMs;
  });
};

/** The writer's address moves to a replica that has not had the last commits. */
const databaseFailsOver: Fault = (world, random, atMs) => {
  const lost = random.chance(0.3) ? random.whole(0, 3) : random.whole(5, 120);
  const awayMs = random.whole(20, 1500);
  const isRaised = random.chance(0.5);
  const oldMode = random.pick(['gone', 'read only', 'writer'] as const);
  const zombieMs = until(world, atMs + awayMs, random, 3000);
  world.timeline.after(atMs, () => world.failOver({ lost, awayMs, isRaised, oldMode, zombieMs }));
};

const databaseAway: Fault = (world, random, atMs) => {
  const untilMs = until(world, atMs, random, 4000);
  world.timeline.after(atMs, () => {
    for (const name of regionNames) world.network.cutRoute(`${name}:postgres`, untilMs);
  });
};

function someProcess(
  world: World,
  random: Random,
  kind: 'intakes' | 'ledgers' | 'publishers',
): Process | undefined {
  const of: readonly { process: Process }[] = world[kind].get(random.pick(regionNames))!;
  return of.length === 0 ? undefined : random.pick(of).process;
}

function killed(kind: 'intakes' | 'ledgers' | 'publishers'): Fault {
  return (world, random, atMs) => {
    world.timeline.after(atMs, () => {
      const process = someProcess(world, random, kind);
      if (process !== undefined) world.kill(process);
    });
  };
}

/** SIGSTOP and, later, SIGCONT: what it believes is old then. */
function stopped(kind: 'intakes' | 'ledgers' | 'publishers'): Fault {
  return (world, random, atMs) => {
    const untilMs = until(world, atMs, random, 7000);
    world.timeline.after(atMs, () => {
      const process = someProcess(world, random, kind);
      if (process === undefined) return;
      process.stoppedUntilMs = untilMs;
      world.trace.add(world.timeline.nowMs, process.name, 'is stopped', `until ${untilMs}`);
    });
  };
}

/** Within the bound votes go on; beyond it the core must see it and refuse. */
const clockIsSet: Fault = (world, random, atMs) => {
  const isBeyond = random.chance(0.6);
  const byMs = isBeyond ? random.pick([-1, 1]) * random.whole(200, 9000) : random.whole(-4, 4);
  world.timeline.after(atMs, () => {
    const intake = random.pick(world.intakes.get(random.pick(regionNames))!);
    intake.process.offsetMs += byMs;
    if (isBeyond) intake.beyondSinceMs = world.timeline.nowMs;
    world.isClockSet = true;
  });
};

/** Nothing passes between a region and everything outside of it. */
const regionCut: Fault = (world, random, atMs) => {
  const { name } = someRegion(world, random);
  const untilMs = until(world, atMs, random, 4000);
  world.timeline.after(atMs, () => {
    for (const to of ['edge', 'postgres', 'standby']) {
      world.network.cutRoute(`${name}:${to}`, untilMs);
    }
  });
};

const kafkaCut: Fault = (world, random, atMs) => {
  const { name } = someRegion(world, random);
  const untilMs = until(world, atMs, random, 3000);
  world.timeline.after(atMs, () => world.network.cutRoute(`${name}:kafka`, untilMs));
};

const rollingDeploy: Fault = (world, random, atMs) => {
  const region = someRegion(world, random);
  world.timeline.after(atMs, () => {
    for (const [at, ledger] of world.ledgers.get(region.name)!.entries()) {
      ledger.end();
      world.timeline.after(random.whole(50, 300), () => world.startLedger(region, at));
    }
  });
};

const regionDestroyed: Fault = (world, random, atMs) => {
  const region = someRegion(world, random);
  const declaredAfterMs = random.whole(300, 4000);
  world.timeline.after(atMs, () => world.destroy(region, declaredAfterMs));
};

const poison: Fault = (world, random, atMs) => {
  const records = random.whole(1, 4);
  for (let nth = 0; nth < records; nth++) {
    const region = someRegion(world, random);
    const partition = random.whole(0, 2);
    world.timeline.after(atMs + nth * 40, () => world.poison(region, partition, random));
  }
};

const faults: readonly (readonly [name: string, fault: Fault])[] = [
  ['leaders change', leaderChanges],
  ['a broker stalls', brokerStalls],
  ['acks are lost', storm('log.append', 'answer lost', 0.3)],
  ['copies are lost', storm('standby.append', 'request lost', 0.5)],
  ['acks of copies are lost', storm('standby.append', 'answer lost', 0.4)],
  ['appends are late', storm('log.append', 'request late', 0.2)],
  ['Kafka is cut off', kafkaCut],
  ['Redis forgets', redisForgets],
  ['Redis fails over', redisFailsOver],
  ['Redis stalls', redisStalls],
  ['Postgres fails over', databaseFailsOver],
  ['Postgres is away', databaseAway],
  ['commit answers are lost', storm('ledger.', 'answer lost', 0.3)],
  ['answers to voters are lost', storm('page.post', 'answer lost', 0.3)],
  ['an intake is killed', killed('intakes')],
  ['an intake is stopped', stopped('intakes')],
  ['a ledger is killed', killed('ledgers')],
  ['a ledger is stopped', stopped('ledgers')],
  ['ledgers are deployed', rollingDeploy],
  ['a publisher is killed', killed('publishers')],
  ['a publisher is stopped', stopped('publishers')],
  ['a clock is set', clockIsSet],
  ['a region is cut off', regionCut],
  ['a region is destroyed', regionDestroyed],
  ['poison records', poison],
];

/** At least three kinds of them, at any time before all is to be well. */
export function breakThings(world: World, random: Random): string[] {
  const chosen = random.shuffle(faults).slice(0, random.whole(3, 6));
  for (const [name, fault] of chosen) {
    const atMs = random.whole(200, world.plan.healedMs - 500);
    world.trace.add(atMs, 'fault', name, '');
    fault(world, random, atMs);
  }
  return chosen.map(([name]) => name);
}
