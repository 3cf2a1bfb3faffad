import { cp, mkdir, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { Client, type CustomTypesConfig, types } from 'pg';
import { sleep } from '#common/clock.ts';
import { postgresSpec } from '../../../local/postgres.ts';
import { clearPostgresRemains } from '../../../local/postgres-remains.ts';
import { createSchema } from '../../../local/schema.ts';
import type { Tools } from '../../../local/tools.ts';
import type { Ground } from './ground.ts';
import { Proxy } from './proxy.ts';
import { Victim } from './victim.ts';

export interface PostgresServer {
  readonly process: Victim;
  readonly port: number;
  readonly dataDir: string;
}

const streamMsMax = 30_000;

/** Counts and offsets here stay far below 2^53. */
const exactNumbers: CustomTypesConfig = {
  getTypeParser: (oid, format) =>
    oid === types.builtins.INT8 ? Number : types.getTypeParser(oid, format),
};

/**
 * A primary, a streaming replica and the one address of the writer, which the lab moves as Aurora
 * does. A replica that was promoted is the primary from then on, and the next replica is a fresh
 * copy of it.
 */
export class PostgresPair {
  /** The address that services know. */
  readonly proxy: Proxy;
  readonly addressPort: number;
  readonly #ground: Ground;
  readonly #tools: Tools;
  #made = 0;
  primary: PostgresServer;
  replica: PostgresServer | undefined;

  private constructor(ground: Ground, tools: Tools, proxy: Proxy) {
    this.#ground = ground;
    this.#tools = tools;
    this.proxy = proxy;
    this.addressPort = ground.port('postgres');
    this.primary = this.#lay({});
  }

  static async create(ground: Ground, tools: Tools): Promise<PostgresPair> {
    const proxy = await Proxy.open('postgres', ground.port('postgres'), []);
    const pair = new PostgresPair(ground, tools, proxy);
    proxy.moveTo({ host: '127.0.0.1', port: pair.primary.port });
    return pair;
  }

  async start(): Promise<void> {
    await this.primary.process.start();
    await createSchema(this.superuserUrl);
    await this.#addReplica();
  }

  /** Straight to the primary, past the address. */
  get superuserUrl(): string {
    return urlOf(this.primary);
  }

  /** Runs statements as superuser on the primary, or on the server given. */
  async run<T extends object>(
    sql: string,
    values: readonly unknown[] = [],
    server: PostgresServer = this.primary,
  ): Promise<T[]> {
    const client = new Client({
      connectionString: urlOf(server),
      connectionTimeoutMillis: 5000,
      types: exactNumbers,
    });
    client.on('error', () => undefined);
    await client.connect();
    try {
      const { rows } = await client.query<T>(sql, [...values]);
      return rows;
    } finally {
      await client.end().catch(() => undefined);
    }
  }

  /**
   * From now on nothing reaches the replica, and nobody is told: what the primary commits is lost
   * when it fails over.
   */
  async stopReplication(): Promise<void> {
    await this.run("ALTER SYSTEM SET primary_conninfo = ''", [], this.replica);
    await this.run('SELECT pg_reload_conf()', [], this.replica);
    for (let left = streamMsMax; left > 0; left -= 50) {
      const rows = await this.run('SELECT FROM pg_stat_replication');
      if (rows.length === 0) return;
      await sleep(50);
    }
    throw new Error('the replica goes on receiving');
  }

  /** Ends the primary with kill -9, all its processes. */
  async killPrimary(): Promise<void> {
    await killServer(this.primary);
  }

  /** Makes the replica the primary. Gives the old one as it was left: gone, or still writable. */
  async promote(): Promise<PostgresServer> {
    const old = this.primary;
    const next = this.replica;
    if (next === undefined) throw new Error('there is no replica to promote');
    await this.run('SELECT pg_promote(true, 60)', [], next);
    this.primary = next;
    this.replica = undefined;
    return old;
  }

  /** New connections to the address reach the primary. */
  moveAddress(): void {
    this.proxy.moveTo({ host: '127.0.0.1', port: this.primary.port });
  }

  async failOver(): Promise<PostgresServer> {
    const old = await this.promote();
    this.moveAddress();
    return old;
  }

  /** Whether a commit waits until the replica has it. */
  async setSynchronous(isOn: boolean): Promise<void> {
    await this.run(`ALTER SYSTEM SET synchronous_standby_names = '${isOn ? '*' : ''}'`);
    await this.run('SELECT pg_reload_conf()');
  }

  /** Ends a server that is not part of the pair any more. */
  drop(server: PostgresServer): Promise<void> {
    return killServer(server);
  }

  /** The address of the writer is well, its server runs, and a replica streams from it. */
  async heal(): Promise<void> {
    this.proxy.heal();
    this.moveAddress();
    await this.primary.process.heal();
    if (this.replica !== undefined && (await this.#streams())) return;
    if (this.replica !== undefined) await killServer(this.replica);
    await this.#addReplica();
  }

  async close(): Promise<void> {
    await this.proxy.close();
    await killServer(this.primary);
    if (this.replica !== undefined) await killServer(this.replica);
  }

  async #streams(): Promise<boolean> {
    const rows = await this.run("SELECT FROM pg_stat_replication WHERE state = 'streaming'");
    return rows.length > 0;
  }

  #lay(settings: Readonly<Record<string, string | number>>): PostgresServer {
    this.#made += 1;
    const name = `postgres-${this.#made}`;
    const port = this.#ground.port(name);
    const dataDir = join(this.#ground.folder, name);
    const spec = postgresSpec(this.#tools, {
      dataDir,
      port,
      settings: {
        shared_buffers: "'64MB'",
        // A replica that fell behind for the time of a scenario finds what it needs.
        wal_keep_size: "'512MB'",
        max_wal_size: "'512MB'",
        ...settings,
      },
    });
    return { process: new Victim(name, spec, this.#ground.logFolder), port, dataDir };
  }

  /** A copy of the running primary's files, made between backup start and stop, that streams. */
  async #addReplica(): Promise<void> {
    const { primary } = this;
    const conninfo = `'host=127.0.0.1 port=${primary.port} user=postgres application_name=replica'`;
    const replica = this.#lay({ primary_conninfo: conninfo, hot_standby: 'on' });
    const client = new Client({ connectionString: urlOf(primary) });
    await client.connect();
    try {
      await client.query("SELECT pg_backup_start('replica', fast => true)");
      await rm(replica.dataDir, { recursive: true, force: true });
      await cp(primary.dataDir, replica.dataDir, {
        recursive: true,
        filter: (path) => !isLeftOut(primary.dataDir, path),
      });
      const { rows } = await client.query<{ labelfile: string }>(
        'SELECT labelfile FROM pg_backup_stop(wait_for_archive => false)',
      );
      await mkdir(join(replica.dataDir, 'pg_wal'), { recursive: true });
      await writeFile(join(replica.dataDir, 'backup_label'), rows[0]!.labelfile);
      await writeFile(join(replica.dataDir, 'standby.signal'), '');
    } finally {
      await client.end();
    }
    this.replica = replica;
    await replica.process.start();
    for (let left = streamMsMax; !(await this.#streams()); left -= 100) {
      if (left <= 0) throw new Error('the replica does not stream');
      await sleep(100);
    }
  }
}

/** The copy gets its log from the primary; what else is left out would stop its start. */
function isLeftOut(dataDir: string, path: string): boolean {
  if (path.startsWith(join(dataDir, 'pg_wal', ''))) return path !== join(dataDir, 'pg_wal');
  return ['postmaster.pid', 'postmaster.opts', 'postgresql.auto.conf'].includes(basename(path));
}

function urlOf(server: PostgresServer): string {
  return `postgres://postgres@127.0.0.1:${server.port}/vote`;
}

/** Server processes lead groups of their own: killing the first would leave the others for a while. */
async function killServer(server: PostgresServer): Promise<void> {
  await server.process.kill();
  await clearPostgresRemains(server.dataDir);
}
