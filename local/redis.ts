import { mkdir } from 'node:fs/promises';
import { answers } from './probes.ts';
import type { ProcessSpec } from './process-spec.ts';
import type { Tools } from './tools.ts';

interface RedisPlace {
  readonly dataDir: string;
  readonly port: number;
}

/**
 * One Redis that keeps nothing on disk: the system trusts it for nothing (see docs/data.md), so a
 * restart with empty hands is the case that must work, every day.
 */
export function redisSpec(tools: Tools, { dataDir, port }: RedisPlace): ProcessSpec {
  const options = {
    bind: '127.0.0.1',
    port: String(port),
    dir: dataDir,
    save: '',
    appendonly: 'no',
    maxmemory: '256mb',
    // Evicting a claim silently would look like a first vote; a refused write is told and counted.
    'maxmemory-policy': 'noeviction',
    daemonize: 'no',
  };
  const flags = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
  return {
    command: [tools.redisServer, ...flags],
    env: {},
    stopSignal: 'SIGTERM',
    deathSignal: 'SIGKILL',
    prepare: async () => {
      await mkdir(dataDir, { recursive: true });
    },
    probe: () => answers(port, 'PING\r\n', (answer) => answer.toString().startsWith('+PONG')),
  };
}
