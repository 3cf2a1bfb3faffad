import { Client } from 'pg';
import type { Scenario } from '../scenario.ts';
import type { Stage } from '../stage.ts';
import { each } from './clients.ts';

const f39: Scenario = {
  id: 'F39',
  fault: 'ledgers come and go while they read',
  done: (scale) =>
    `one of them killed or ended each second at random, ${scale === 'short' ? '15 s' : '10 min'}`,
  run: async (stage) => {
    const { ledger } = stage.lab.home.services;
    const load = stage.load();
    for (let round = 0; round < stage.pick(8, 300); round += 1) {
      await stage.seconds(1);
      const { process } = ledger[Math.floor(Math.random() * ledger.length)]!;
      await (Math.random() < 0.5 ? process.kill() : process.end());
      await stage.seconds(0.5);
      await process.spawn();
    }
    stage.healed();
    await load.end();
  },
};

const f47: Scenario = {
  id: 'F47',
  fault: 'overlapping batches of the same voters',
  done: (scale) =>
    `no claims (Redis gone): ${scale === 'short' ? 100 : 1000} voters send 8 choices at once each; deadlocks as Postgres counts them`,
  run: async (stage) => {
    const { home, postgres } = stage.lab;
    const deadlocks = async (): Promise<number> => {
      const [row] = await postgres.run<{ deadlocks: number }>(
        "SELECT deadlocks FROM pg_stat_database WHERE datname = 'vote'",
      );
      return row!.deadlocks;
    };
    const before = await deadlocks();
    await Promise.all(home.redis.servers.map(({ process }) => process.kill()));
    await stage.seconds(0.5);
    await each(stage, stage.pick(100, 1000), async (voter) => {
      const sent = Array.from({ length: 8 }, (_, at) =>
        stage.voters.attempt(voter, at % stage.session.optionIds.length, home.name),
      );
      await Promise.all(sent);
    });
    stage.healed();
    // Statistics are written a moment later.
    await stage.seconds(2);
    const found = (await deadlocks()) - before;
    stage.expect('no deadlock', found === 0, `${found}`);
  },
};

const f49: Scenario = {
  id: 'F49',
  fault: 'Postgres: the standby that commits wait for is lost; waiting commits are cancelled',
  done: () =>
    'synchronous replica killed under load; what waits is cancelled with pg_cancel_backend each second for 8 s',
  run: async (stage) => {
    const { postgres } = stage.lab;
    const load = stage.load();
    await stage.seconds(2);
    await postgres.setSynchronous(true);
    await stage.seconds(2);
    await postgres.drop(postgres.replica!);
    for (let round = 0; round < stage.pick(8, 30); round += 1) {
      await stage.seconds(1);
      await postgres.run(
        `SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'`,
      );
    }
    await postgres.setSynchronous(false);
    stage.healed();
    await load.end();
  },
};

const f50: Scenario = {
  id: 'F50',
  fault: 'Postgres slow, and out of connections',
  done: () =>
    '300 ms of latency for 6 s; then all its connections taken and ours ended for 6 s; a full disk: F50d',
  run: async (stage) => {
    const { postgres, home } = stage.lab;
    const load = stage.load();
    await stage.seconds(2);
    home.toPostgres.trouble({ down: { delayMs: 300 } });
    await stage.seconds(6);
    home.toPostgres.heal();
    const takers = await takeConnections(stage);
    await postgres.run(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE '%-us-%'",
    );
    const more = await takeConnections(stage);
    await stage.seconds(6);
    await Promise.all([...takers, ...more].map((one) => one.end()));
    stage.note(`${takers.length + more.length} connections taken`);
    stage.healed();
    await load.end();
  },
};

const f52: Scenario = {
  id: 'F52',
  fault: 'results read from a replica that lags',
  done: () =>
    'the publisher is pointed at a replica, whose replay is paused for 6 of 10 s: it reads nothing there; then the writer again',
  run: async (stage) => {
    const { postgres, home } = stage.lab;
    const publisher = home.services.publisher[0]!.process;
    const replica = postgres.replica!;
    const load = stage.load();
    await stage.seconds(3);
    await publisher.end();
    await publisher.spawn({
      VOTE_POSTGRES_URL: `postgres://publisher@127.0.0.1:${replica.port}/vote`,
    });
    await stage.seconds(4);
    await postgres.run('SELECT pg_wal_replay_pause()', [], replica);
    await stage.seconds(6);
    await postgres.run('SELECT pg_wal_replay_resume()', [], replica);
    await publisher.heal();
    stage.healed();
    await load.end();
  },
};

export const databaseScenarios: readonly Scenario[] = [f39, f47, f49, f50, f52];

/** Takes every connection that an ordinary role can get. */
async function takeConnections({ lab }: Stage): Promise<Client[]> {
  const taken: Client[] = [];
  for (;;) {
    const client = new Client({
      connectionString: `postgres://records@127.0.0.1:${lab.postgres.primary.port}/vote`,
    });
    client.on('error', () => undefined);
    try {
      await client.connect();
      taken.push(client);
    } catch {
      return taken;
    }
  }
}
