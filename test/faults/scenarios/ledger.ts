import { randomBytes } from 'node:crypto';
import { voteRecordBytes } from '#common/contracts/vote-submitted.ts';
import { createProducer } from '#common/kafka.ts';
import { uuidToBytes } from '#common/uuid.ts';
import type { Place } from '../check/evidence.ts';
import { readPartitions } from '../check/read-books.ts';
import type { Scenario } from '../scenario.ts';
import type { Stage } from '../stage.ts';

const f41: Scenario = {
  id: 'F41',
  fault: 'ledger killed before and after COMMIT',
  done: (scale) =>
    `what it sends to Postgres, or what Postgres answers, is swallowed 0.2 s, then kill -9; ${killRounds[scale]} rounds`,
  run: async (stage) => {
    const { services, toPostgres } = stage.lab.home;
    const load = stage.load();
    for (let round = 0; round < killRounds[stage.scale]; round += 1) {
      await stage.seconds(1.5);
      const trouble = { swallow: true };
      toPostgres.trouble(round % 2 === 0 ? { up: trouble } : { down: trouble });
      await stage.seconds(0.2);
      const victim = services.ledger[round % 2]!.process;
      await victim.kill();
      toPostgres.heal();
      await victim.start();
    }
    stage.healed();
    await load.end();
  },
};

const f42: Scenario = {
  id: 'F42',
  fault: 'ledger stopped past its lease, and goes on',
  done: (scale) =>
    `SIGSTOP for 12 s (lease: 5 s), then SIGCONT, ${scale === 'short' ? 2 : 8} rounds`,
  run: async (stage) => {
    const { ledger } = stage.lab.home.services;
    const load = stage.load();
    let takenOverMax = 0;
    for (let round = 0; round < stage.pick(2, 8); round += 1) {
      await stage.seconds(2);
      const zombie = ledger[round % 2]!.process;
      const stoppedMs = performance.now();
      zombie.pause();
      takenOverMax = Math.max(takenOverMax, (await untilAllAdvance(stage)) - stoppedMs);
      await stage.seconds(Math.max(0, 12 - (performance.now() - stoppedMs) / 1000));
      zombie.resume();
    }
    stage.healed();
    await stage.seconds(1);
    await load.end();
    const seconds = (takenOverMax / 1000).toFixed(1);
    stage.note(`taken over within ${seconds} s`);
    stage.expect('the other takes over within 10 s', takenOverMax < 10_000, `${seconds} s`);
  },
};

const f43: Scenario = {
  id: 'F43',
  fault: 'connection cut during COMMIT',
  done: (scale) =>
    `each answer and each question of Postgres is cut with a chance of 3 % for ${scale === 'short' ? 10 : 60} s`,
  run: async (stage) => {
    const { toPostgres } = stage.lab.home;
    const load = stage.load();
    await stage.seconds(2);
    toPostgres.trouble({ up: { cutChance: 0.03 }, down: { cutChance: 0.03 } });
    await stage.seconds(stage.pick(10, 60));
    stage.note(`${toPostgres.cuts} connections cut`);
    toPostgres.heal();
    stage.healed();
    await load.end();
  },
};

const f44: Scenario = {
  id: 'F44',
  fault: 'Postgres: primary killed, a replica that has everything promoted',
  done: () => 'synchronous replica; kill -9 of the primary, promotion, address moved',
  run: async (stage) => {
    const { postgres } = stage.lab;
    await postgres.setSynchronous(true);
    const load = stage.load();
    await stage.seconds(4);
    await postgres.killPrimary();
    await postgres.failOver();
    stage.healed();
    // The next replica is not there yet: nothing would be answered.
    await postgres.setSynchronous(false);
    await stage.seconds(stage.pick(4, 20));
    await load.end();
  },
};

const f45: Scenario = {
  id: 'F45',
  fault: 'Postgres: lossy failover',
  done: (scale) =>
    `the replica receives nothing for ${lostWalS[scale]} s under load, kill -9 of the primary, promotion; only the address moves`,
  run: async (stage) => {
    const { postgres } = stage.lab;
    const load = stage.load();
    await stage.seconds(3);
    await postgres.stopReplication();
    await stage.seconds(lostWalS[stage.scale]);
    const before = await offsetsSum(stage);
    await postgres.killPrimary();
    await postgres.promote();
    const after = await offsetsSum(stage);
    postgres.moveAddress();
    stage.healed();
    stage.note(`${before - after} records fell back`);
    stage.expect('commits were lost', before > after, `${before} → ${after}`);
    await stage.seconds(stage.pick(6, 20));
    await load.end();
  },
};

const f46: Scenario = {
  id: 'F46',
  fault: 'Postgres: the old primary is back, still writable',
  done: () =>
    'a failover with the old primary running; then the address points to it for 6 s, and back',
  run: async (stage) => {
    const { postgres } = stage.lab;
    const load = stage.load();
    await stage.seconds(3);
    const old = await postgres.failOver();
    postgres.proxy.resetAll();
    await stage.seconds(4);
    const before = await offsetsSum(stage, old);
    postgres.proxy.moveTo({ host: '127.0.0.1', port: old.port });
    postgres.proxy.resetAll();
    await stage.seconds(6);
    const after = await offsetsSum(stage, old);
    postgres.moveAddress();
    postgres.proxy.resetAll();
    stage.healed();
    stage.expect('nobody writes to the old one', before === after, `${before} → ${after} records`);
    await stage.seconds(3);
    await load.end();
    await postgres.drop(old);
  },
};

const f48: Scenario = {
  id: 'F48',
  fault: 'Postgres away under load',
  done: (scale) => `stopped (SIGSTOP) ${scale === 'short' ? '15 s' : '10 min'}, address half open`,
  run: async (stage) => {
    const { postgres } = stage.lab;
    const load = stage.load();
    await stage.seconds(3);
    const awayMs = performance.now();
    postgres.proxy.partition();
    await stage.seconds(stage.pick(15, 600));
    const backMs = performance.now();
    postgres.proxy.heal();
    stage.healed();
    await load.end();
    const failed = stage.history.attempts.filter(
      ({ outcome, sentMs }) => outcome !== 'ok' && sentMs > awayMs && sentMs < backMs,
    );
    stage.expectNoneFailed(failed);
  },
};

const f51: Scenario = {
  id: 'F51',
  fault: 'poison records, and those of a newer version',
  done: () =>
    'records with a wrong key, length, kind, option and signature, sent straight into Kafka',
  run: async (stage) => {
    const load = stage.load();
    await stage.seconds(2);
    const sent = await poison(stage);
    await stage.seconds(3);
    stage.healed();
    await load.end();
    // What nobody's key signed is put aside only when its key was waited for.
    let kept = await countQuarantined(stage, sent);
    for (let left = 30; kept < sent.length && left > 0; left -= 1) {
      await stage.seconds(1);
      kept = await countQuarantined(stage, sent);
    }
    stage.expect('each is quarantined', kept === sent.length, `${kept} of ${sent.length}`);
  },
};

export const ledgerScenarios: readonly Scenario[] = [f41, f42, f43, f44, f45, f46, f48, f51];

const killRounds = { short: 4, full: 20 };
const lostWalS = { short: 8, full: 30 };

/** Resolves when every partition that lags now has advanced; to that time. 30 s at most. */
async function untilAllAdvance(stage: Stage): Promise<number> {
  const { postgres, home } = stage.lab;
  const places = async (): Promise<Map<string, number>> => {
    const books = await readPartitions(postgres);
    const own = books.filter(({ log }) => log === home.name);
    return new Map(own.map(({ partition, nextOffset }) => [String(partition), nextOffset]));
  };
  const before = await places();
  for (let left = 300; ; left -= 1) {
    await stage.seconds(0.1);
    const now = await places();
    const advanced = [...now].filter(([partition, at]) => at > (before.get(partition) ?? 0)).length;
    // At these rates each partition gets a record within seconds.
    if (advanced === now.size || left === 0) return performance.now();
  }
}

/** How many records all ledgers have read, as a server says. */
async function offsetsSum({ lab }: Stage, server = lab.postgres.primary): Promise<number> {
  const sql = 'SELECT sum(next_offset)::bigint AS sum FROM votes.offsets';
  const [row] = await lab.postgres.run<{ sum: number }>(sql, [], server);
  return row!.sum;
}

/** How many of these places are listed: other scenarios of the run have rows there, too. */
async function countQuarantined({ lab }: Stage, places: readonly Place[]): Promise<number> {
  const [row] = await lab.postgres.run<{ count: number }>(
    `SELECT count(*) AS count FROM votes.quarantined_records JOIN votes.regions USING (region_no)
     WHERE region = $1 AND (partition, "offset") IN
       (SELECT * FROM unnest($2::smallint[], $3::bigint[]))`,
    [lab.home.name, places.map(({ partition }) => partition), places.map(({ offset }) => offset)],
  );
  return row!.count;
}

/** Sends records that no intake writes straight into the log; gives where they lie. */
async function poison({ lab, session }: Stage): Promise<Place[]> {
  const key = uuidToBytes(session.sessionId);
  const good = randomBytes(voteRecordBytes);
  good.writeUInt8(1, 0);
  const changed = (change: (value: Buffer) => void): Buffer => {
    const value = Buffer.from(good);
    change(value);
    return value;
  };
  const values: [Buffer, Buffer][] = [
    [Buffer.from('no session'), good],
    [key, Buffer.from('too short')],
    [key, changed((value) => value.writeUInt8(77, 0))],
    [key, changed((value) => value.writeUInt8(200, 51))],
    [key, changed((value) => value.writeBigUInt64BE(2n ** 62n, 23))],
    [randomBytes(16), forged(changed, 0)],
    [key, forged(changed, 9)],
    // Well-formed in everything, but nobody signed this ballot.
    [key, forged(changed, 0)],
  ];
  const places: Place[] = [];
  const producer = createProducer({ brokers: lab.home.kafka.addresses, clientId: 'poison' });
  try {
    for (const [at, [recordKey, value]] of values.entries()) {
      const partition = at % 3;
      const message = { topic: 'vote-submitted', partition, key: recordKey, value };
      const { offsets } = await producer.send({ messages: [message] });
      places.push({ log: lab.home.name, partition, offset: Number(offsets![0]!.offset) });
    }
  } finally {
    await producer.close();
  }
  return places;
}

function forged(changed: (change: (value: Buffer) => void) => Buffer, optionNo: number): Buffer {
  return changed((value) => {
    value.writeUInt32BE(1, 17);
    value.writeUInt16BE(optionNo, 21);
    value.writeBigUInt64BE(BigInt(Date.now()), 23);
    value.writeUInt32BE(Math.floor(Date.now() / 1000) + 600, 47);
    value.writeUInt16BE(0, 51);
  });
}
