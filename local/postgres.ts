import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { clearPostgresRemains } from './postgres-remains.ts';
import { answers } from './probes.ts';
import type { ProcessSpec } from './process-spec.ts';
import { runToEnd } from './run-to-end.ts';
import type { Tools } from './tools.ts';

export interface PostgresPlace {
  readonly dataDir: string;
  readonly port: number;
  /** For tests: no fsync, small memory. A crash of the machine may then cost the data. */
  readonly isThrowaway?: boolean;
  /** Server settings beside ours, as postgresql.conf writes them. */
  readonly settings?: Readonly<Record<string, string | number>>;
}

const INITDB_MS_MAX = 60_000;

/** One Postgres server on 127.0.0.1, trusting every role: nothing but this machine reaches it. */
export function postgresSpec(tools: Tools, place: PostgresPlace): ProcessSpec {
  const { dataDir, port } = place;
  return {
    command: asOrdinaryUser([join(tools.postgres, 'bin/postgres'), '-D', dataDir]),
    env: {},
    stopSignal: 'SIGINT',
    deathSignal: 'SIGINT',
    prepare: async () => {
      await initialize(tools, dataDir);
      await clearPostgresRemains(dataDir);
      await writeFile(join(dataDir, 'postgresql.conf'), configuration(place));
    },
    // A startup packet for a role that does not exist is answered with an error ("E", "28000") once
    // the server lets clients in, and with "57P03" while it starts or recovers.
    probe: () => answers(port, startupPacket('postgres'), (answer) => !answer.includes('57P03')),
  };
}

/**
 * Postgres refuses to run as root. A user namespace in which root is called "nobody" satisfies it,
 * and keeps root's way into a private folder, which a real user of that name would not have.
 */
function asOrdinaryUser(command: readonly [string, ...string[]]): [string, ...string[]] {
  if (process.getuid?.() !== 0) return [...command];
  const map = [`--map-user=${idOfNobody('-u')}`, `--map-group=${idOfNobody('-g')}`];
  return ['unshare', '--user', ...map, ...command];
}

function idOfNobody(flag: '-u' | '-g'): string {
  return execFileSync('id', [flag, 'nobody'], { encoding: 'utf8' }).trim();
}

async function initialize(tools: Tools, dataDir: string): Promise<void> {
  if (existsSync(join(dataDir, 'PG_VERSION'))) return;
  // Made beside and renamed: a start that is cut short leaves no half-made server.
  const fresh = `${dataDir}.new`;
  await rm(fresh, { recursive: true, force: true });
  await mkdir(fresh, { recursive: true, mode: 0o700 });
  await runToEnd(
    asOrdinaryUser([
      join(tools.postgres, 'bin/initdb'),
      '-D',
      fresh,
      '--username=postgres',
      '--auth=trust',
      '--encoding=UTF8',
      '--locale=C',
      // The caller's later fsync is enough; initdb's own costs a second.
      '--no-sync',
    ]),
    {},
    INITDB_MS_MAX,
  );
  await rm(dataDir, { recursive: true, force: true });
  await rename(fresh, dataDir);
}

function configuration({ port, isThrowaway, settings: more }: PostgresPlace): string {
  const settings: Record<string, string | number> = {
    listen_addresses: "'127.0.0.1'",
    port,
    unix_socket_directories: "''",
    max_connections: 200,
    // Its files under /dev/shm outlive a kill -9 of everything; mmap leaves nothing.
    dynamic_shared_memory_type: 'mmap',
    shared_buffers: isThrowaway ? "'64MB'" : "'256MB'",
    max_wal_size: "'2GB'",
    checkpoint_timeout: "'15min'",
    checkpoint_completion_target: 0.9,
    jit: 'off',
    log_line_prefix: "'%m [%p] %q%u '",
    log_min_messages: 'warning',
    log_checkpoints: 'off',
    timezone: "'UTC'",
    log_timezone: "'UTC'",
  };
  if (isThrowaway) {
    Object.assign(settings, { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' });
  }
  return Object.entries({ ...settings, ...more })
    .map(([name, value]) => `${name} = ${value}\n`)
    .join('');
}

/** Protocol 3.0 start-up message for a role, database of the same name. */
function startupPacket(role: string): Buffer {
  const text = Buffer.from(`user\0${role}\0\0`);
  const packet = Buffer.alloc(8 + text.length);
  packet.writeInt32BE(packet.length, 0);
  packet.writeInt32BE(196_608, 4);
  text.copy(packet, 8);
  return packet;
}
