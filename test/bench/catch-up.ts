import type { ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Client } from 'pg';
import { sleep, systemClock } from '#common/clock.ts';
import { importPublicKeys } from '#common/keys.ts';
import { createLog } from '#common/log.ts';
import { createRegistry } from '#common/metrics.ts';
import { createPool, type Pool } from '#common/postgres.ts';
import { regionNo } from '#common/region-no.ts';
import { startChild, stopChild, waitUntil } from '../../local/child.ts';
import { anyFreePorts } from '../../local/free-ports.ts';
import { postgresSpec } from '../../local/postgres.ts';
import { findTools } from '../../local/tools.ts';
import { createBallotCheck } from '../../regional-core/ledger/check-ballots.ts';
import { createLedgerMetrics } from '../../regional-core/ledger/metrics.ts';
import { createPostgresLedgerStore } from '../../regional-core/ledger/postgres-ledger-store.ts';
import { type CheckBallots, LedgerWorker } from '../../regional-core/ledger/worker.ts';
import { migrate } from '../../regional-core/schema/migrate.ts';
import { readCpu } from '../load/cpu.ts';
import { createSession, type TestSession } from '../support/votes.ts';
import { type Backlog, BacklogSource, backlogKey, makeBacklog } from './backlog.ts';

/**
 * `npm run bench:catch-up`: how fast the ledger's own workers drain a backlog that lies ready, on a
 * Postgres of its own with fsync on: rows a second by wall clock, CPU of Postgres and of the ledger
 * a row, and the ratio to COPY into a table of the same form with its primary key. Kafka is left
 * out, so that the figure is the writer's.
 *
 *   --rows 300000        of a backlog without signature checks
 *   --checked 50000      of one with them
 *   --existing 20000000  rows that the large session's table holds before
 */
const { values: options } = parseArgs({
  options: {
    rows: { type: 'string', default: '300000' },
    checked: { type: 'string', default: '50000' },
    existing: { type: 'string', default: '20000000' },
  },
});
const [rows, checked, existing] = [
  Number(options.rows),
  Number(options.checked),
  Number(options.existing),
];
const partitions = 30;
const log = createLog({ service: 'bench' }, 'error');

interface Case {
  readonly name: string;
  readonly workers: number;
  readonly session: TestSession;
  readonly isChecked: boolean;
}

interface Figures {
  readonly rowsPerS: number;
  readonly postgresUs: number;
  readonly ledgerUs: number;
}

const folder = await mkdtemp(join(tmpdir(), 'vote-catch-up-'));
const [port = 0] = await anyFreePorts(1);
const spec = postgresSpec(findTools(), { dataDir: join(folder, 'postgres'), port });
await spec.prepare();
const server = startChild(spec);
if (!(await waitUntil(spec.probe, 60_000))) throw new Error('Postgres did not come up');
const url = (role: string): string => `postgres://${role}@127.0.0.1:${port}/postgres`;
await migrate(url('postgres'));
const connect = (role: string, connectionsMax: number): Pool =>
  createPool({ url: url(role), applicationName: 'bench', connectionsMax, log });
const admin = connect('postgres', 1);
// Without the pool's time-outs: 20 million rows take a minute.
const patient = new Client({ connectionString: url('postgres') });
await patient.connect();

try {
  const copy = await measureCopy();
  show('COPY', copy, copy);
  for (const size of [0, existing]) {
    const session = await createSession(admin);
    await fill(session.sessionNo, size);
    for (const workers of [1, 2, 4]) {
      const name = `${workers} × ${size.toLocaleString('en')} rows there`;
      show(name, await measure({ name, workers, session, isChecked: false }), copy);
    }
    const name = `1, verified × ${size.toLocaleString('en')} rows there`;
    show(name, await measure({ name, workers: 1, session, isChecked: true }), copy);
  }
} finally {
  await admin.end();
  await patient.end();
  await stopChild(server, spec.stopSignal, 20_000);
  await rm(folder, { recursive: true, force: true });
}

function show(name: string, { rowsPerS, postgresUs, ledgerUs }: Figures, copy: Figures): void {
  const ratio = copy.postgresUs / postgresUs;
  const vcpus = (250_000 * postgresUs) / 1e6;
  console.log(
    `${name.padEnd(38)} ${rowsPerS.toFixed(0).padStart(8)} rows/s  ` +
      `postgres ${postgresUs.toFixed(1).padStart(6)} µs/row  ledger ${ledgerUs.toFixed(1)} µs/row  ` +
      `${(ratio * 100).toFixed(0)} % of COPY  250k/s: ${vcpus.toFixed(1)} writer vCPU`,
  );
}

/** Runs `act`, which brings `count` rows, and gives its speed and what it cost. */
async function timed(count: number, act: () => Promise<void>): Promise<Figures> {
  const cpuBefore = await postgresCpu(server);
  const ownBefore = process.cpuUsage();
  const startedMs = performance.now();
  await act();
  const seconds = (performance.now() - startedMs) / 1000;
  const own = process.cpuUsage(ownBefore);
  return {
    rowsPerS: count / seconds,
    postgresUs: ((await postgresCpu(server)) - cpuBefore) / count,
    ledgerUs: (own.user + own.system) / count,
  };
}

async function postgresCpu({ pid }: ChildProcess): Promise<number> {
  const use = await readCpu({ postgres: [{ region: undefined, url: '', pid: pid! }] } as never);
  return use.get('postgres') ?? 0;
}

async function measureCopy(): Promise<Figures> {
  const file = join(folder, 'votes.csv');
  await patient.query(
    `COPY (SELECT 1, gen_random_uuid(), 0, 1, 0, n, now(), now() FROM generate_series(1, $1) n)
     TO '${file}'`.replace('$1', String(rows)),
  );
  await patient.query('CREATE TABLE votes.copied (LIKE votes.votes INCLUDING ALL)');
  const figures = await timed(rows, async () => {
    await patient.query(`COPY votes.copied FROM '${file}'`);
  });
  await patient.query('DROP TABLE votes.copied');
  return figures;
}

async function measure({ name, workers, session, isChecked }: Case): Promise<Figures> {
  const count = isChecked ? checked : rows;
  const backlog = makeBacklog(session.sessionId, count, partitions, isChecked);
  const pool = connect('ledger', workers);
  const region = await regionNo(pool, name);
  const identity = { regionNo: region, clusterId: 'bench', topicId: randomUUID() };
  let isOpen = false;
  const ending = new AbortController();
  const crew = Array.from({ length: workers }, () => makeWorker(pool, backlog, () => isOpen));
  function makeWorker(store: Pool, from: Backlog, gate: () => boolean): LedgerWorker {
    const keys = importPublicKeys([backlogKey.publicJwk]);
    const check: CheckBallots = createBallotCheck({
      get: (kid) => keys.get(kid),
      learn: () => Promise.resolve(),
    });
    return new LedgerWorker({
      store: createPostgresLedgerStore(store),
      source: new BacklogSource(from, gate),
      checkBallots: isChecked ? check : () => Promise.resolve([]),
      checkControls: () => Promise.resolve([]),
      clock: systemClock,
      log,
      metrics: createLedgerMetrics(createRegistry({}))(name),
      workerId: randomUUID(),
      identify: () => Promise.resolve(identity),
      layout: () => ({ partitions, readAtMs: Date.now() }),
      epochSeen: () => 0,
    });
  }
  const running = crew.map((worker) => worker.run(ending.signal));
  // Each has its share before the backlog is there.
  const share = Math.ceil(partitions / workers);
  while (crew.some((worker) => worker.held().length > share || worker.held().length === 0)) {
    await sleep(20);
  }
  const figures = await timed(count, async () => {
    isOpen = true;
    while ((await counted(region)) < count) await sleep(20);
  });
  ending.abort();
  await Promise.all(running);
  await pool.end();
  return figures;
}

async function counted(region: number): Promise<number> {
  const { rows: sums } = await admin.query<{ next: number }>(
    'SELECT coalesce(sum(next_offset), 0)::bigint AS next FROM votes.offsets WHERE region_no = $1',
    [region],
  );
  return sums[0]!.next;
}

/** Rows that stand there already, in order of their ids: a third of the time of random ones. */
async function fill(sessionNo: number, size: number): Promise<void> {
  if (size === 0) return;
  const step = (2n ** 63n - 1n) / BigInt(size);
  await patient.query(
    `INSERT INTO votes.votes_${sessionNo}
       (session_no, vote_id, option_no, region_no, partition, "offset", accepted_at)
     SELECT ${sessionNo}, (lpad(to_hex(n * ${step}), 16, '0') || repeat('0', 16))::uuid,
       0, 1, 0, n, now() FROM generate_series(1, ${size}) n`,
  );
  await patient.query('CHECKPOINT');
}
