import { createServer, type Socket } from 'node:net';
import type { Attempt } from '../crowd/history.ts';
import type { Voter } from '../crowd/voters.ts';
import type { Scenario } from '../scenario.ts';
import type { Stage } from '../stage.ts';
import { each } from './clients.ts';
import { acceptedP99 } from './latency.ts';

const f16: Scenario = {
  id: 'F16',
  fault: 'Redis: primary killed, replica promoted',
  done: () => 'kill -9 of the primary; after 2 s the replica is promoted and the address moved',
  run: async (stage) => {
    const { redis } = stage.lab.home;
    const load = stage.load();
    await stage.seconds(3);
    await redis.servers[0].process.kill();
    await stage.seconds(2);
    await redis.promoteReplica();
    await stage.seconds(stage.pick(4, 20));
    stage.healed();
    await load.end();
  },
};

const f17: Scenario = {
  id: 'F17',
  fault: 'Redis: claims lost',
  done: (scale) =>
    `replica cut off, ${scale === 'short' ? 300 : 3000} votes, primary killed, replica promoted; then other choices`,
  run: async (stage) => {
    const { redis, name } = stage.lab.home;
    const voters: Voter[] = [];
    // Stopped, it would still find what lies in its socket's buffer.
    await redis.command(1, 'REPLICAOF', 'NO', 'ONE');
    await each(stage, stage.pick(300, 3000), async (voter) => {
      voters.push(voter);
      await stage.voters.vote(voter, 0, [name], patienceMs);
    });
    await redis.servers[0].process.kill();
    await redis.promoteReplica();
    await stage.seconds(2);
    const second: Attempt[] = [];
    for (const voter of voters) second.push(await stage.voters.vote(voter, 1, [name], patienceMs));
    stage.healed();
    const twice = second.filter(({ outcome }) => outcome === 'ok').length;
    stage.note(`${twice} of ${voters.length} got a second 201`);
    stage.expect('claims were lost', twice > 0, `${twice} second 201s, all to end as duplicate`);
  },
};

const f18: Scenario = {
  id: 'F18',
  fault: 'Redis: all gone',
  done: (scale) =>
    `both killed for ${scale === 'short' ? '10 s' : '5 min'}; p99 before and meanwhile`,
  run: async (stage) => {
    const { servers } = stage.lab.home.redis;
    const load = stage.load();
    await stage.seconds(5);
    const goneMs = performance.now();
    await Promise.all(servers.map(({ process }) => process.kill()));
    await stage.seconds(stage.pick(10, 300));
    const backMs = performance.now();
    await Promise.all(servers.map(({ process }) => process.start()));
    await stage.seconds(2);
    stage.healed();
    await load.end();
    compareP99(stage, goneMs - 4000, goneMs, backMs, 20);
  },
};

const f19: Scenario = {
  id: 'F19',
  fault: 'Redis: slow',
  done: () =>
    'DEBUG SLEEP 3 twice (SIGSTOP of 3 s where DEBUG is not allowed), and 80 ms of latency',
  run: async (stage) => {
    const { redis } = stage.lab.home;
    const load = stage.load();
    await stage.seconds(4);
    const slowMs = performance.now();
    for (let round = 0; round < 2; round += 1) {
      redis.servers[0].process.pause();
      await stage.seconds(3);
      redis.servers[0].process.resume();
      await stage.seconds(2);
    }
    const calmMs = performance.now();
    redis.proxy.trouble({ down: { delayMs: 80 } });
    await stage.seconds(3);
    redis.proxy.heal();
    stage.healed();
    await load.end();
    const p99 = acceptedP99(stage, slowMs, calmMs);
    stage.note(`p99 while stopped ${p99.toFixed(0)} ms`);
    // A command has 100 ms, then the claim is skipped.
    stage.expect('nobody waits longer than the breaker', p99 < 400, `p99 ${p99.toFixed(0)} ms`);
  },
};

const f20: Scenario = {
  id: 'F20',
  fault: 'Redis: full',
  done: () => 'CONFIG SET maxmemory 1mb under load: writes are refused with OOM',
  run: async (stage) => {
    const { redis } = stage.lab.home;
    const load = stage.load();
    await stage.seconds(3);
    await redis.command(0, 'CONFIG', 'SET', 'maxmemory', '1mb');
    await stage.seconds(stage.pick(5, 20));
    await redis.command(0, 'CONFIG', 'SET', 'maxmemory', '256mb');
    await stage.seconds(1);
    stage.healed();
    await load.end();
  },
};

const f21: Scenario = {
  id: 'F21',
  fault: 'Redis: NOSCRIPT, READONLY, MOVED',
  done: () =>
    'SCRIPT FLUSH each 200 ms, then REPLICAOF of the primary for 2 s, then a stand-in that is ready and answers MOVED for 3 s',
  run: async (stage) => {
    const { redis } = stage.lab.home;
    const load = stage.load();
    await stage.seconds(2);
    for (let round = 0; round < stage.pick(15, 100); round += 1) {
      await redis.command(0, 'SCRIPT', 'FLUSH');
      await stage.seconds(0.2);
    }
    await redis.command(0, 'REPLICAOF', '127.0.0.1', redis.servers[1].port);
    await stage.seconds(2);
    await redis.command(0, 'REPLICAOF', 'NO', 'ONE');
    const away = stage.lab.ground.port('redis-that-moved');
    const moved = createServer((socket) => answerMoved(socket)).listen(away, '127.0.0.1');
    redis.proxy.moveTo({ host: '127.0.0.1', port: away });
    redis.proxy.resetAll();
    await stage.seconds(3);
    await redis.heal();
    redis.proxy.resetAll();
    moved.close();
    await stage.seconds(1);
    stage.healed();
    await load.end();
    const { failed } = stage;
    stage.expect('no request fails', failed.length === 0, `${failed.length} attempts`);
  },
};

const f22: Scenario = {
  id: 'F22',
  fault: 'Redis: split brain, each core on a primary of its own',
  done: (scale) =>
    `the replica is made a primary and one intake works with it; ${scale === 'short' ? 200 : 2000} voters send two choices, to either intake`,
  run: async (stage) => {
    const { redis, services, name } = stage.lab.home;
    const other = services.intake[1]!.process;
    await redis.command(1, 'REPLICAOF', 'NO', 'ONE');
    await other.end();
    await other.start({ VOTE_REDIS_URL: `redis://127.0.0.1:${redis.servers[1].port}/0` });
    await stage.seconds(1.5);
    let twice = 0;
    await each(stage, stage.pick(200, 2000), async (voter) => {
      const one = await stage.voters.vote(voter, 0, [name], patienceMs);
      const two = await stage.voters.vote(voter, 1, [name], patienceMs);
      if (one.outcome === 'ok' && two.outcome === 'ok') twice += 1;
    });
    stage.healed();
    stage.note(`${twice} were accepted for both choices`);
    stage.expect('claims did not see each other', twice > 0, `${twice}`);
  },
};

const f23: Scenario = {
  id: 'F23',
  fault: 'Redis: its clock jumps',
  done: () =>
    'FLUSHALL each second: what a jump ahead does to claims; redis-server does not start under faketime here',
  run: async (stage) => {
    const { redis, name } = stage.lab.home;
    const load = stage.load();
    for (let round = 0; round < stage.pick(6, 30); round += 1) {
      const voter = stage.voters.make();
      await stage.voters.vote(voter, 0, [name], patienceMs);
      await redis.command(0, 'FLUSHALL');
      await stage.voters.vote(voter, 1, [name], patienceMs);
      await stage.seconds(1);
    }
    stage.healed();
    await load.end();
  },
};

export const redisScenarios: readonly Scenario[] = [f16, f17, f18, f19, f20, f21, f22, f23];

const patienceMs = 20_000;

/** p99 of accepted votes after `fromMs` against before it, both in ms. */
function compareP99(
  stage: Stage,
  beforeMs: number,
  fromMs: number,
  toMs: number,
  allowedMs: number,
): void {
  const before = acceptedP99(stage, beforeMs, fromMs);
  // The first moments are for finding out.
  const meanwhile = acceptedP99(stage, fromMs + 1000, toMs);
  const text = `p99 ${before.toFixed(0)} → ${meanwhile.toFixed(0)} ms`;
  stage.note(text);
  stage.expect(`p99 rises by ${allowedMs} ms at most`, meanwhile <= before + allowedMs, text);
}

/** A cluster's node that has given its keys away: ready, and every script is told to go elsewhere. */
function answerMoved(socket: Socket): void {
  const info = 'redis_version:7.2.0\r\nloading:0';
  const replies = new Map([
    ['hello', "-ERR unknown command 'HELLO'"],
    ['client', '+OK'],
    ['info', `$${info.length}\r\n${info}`],
  ]);
  socket.on('error', () => undefined);
  socket.on('data', (bytes) => {
    // The first word of each command (RESP: an array of strings with their lengths).
    for (const [, word = ''] of bytes.toString().matchAll(/\*\d+\r\n\$\d+\r\n(\w+)/g)) {
      socket.write(`${replies.get(word.toLowerCase()) ?? '-MOVED 1234 127.0.0.1:1'}\r\n`);
    }
  });
}
