import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { startChild, stopChild, waitUntil } from '../../../local/child.ts';
import { anyFreePorts } from '../../../local/free-ports.ts';
import { answers } from '../../../local/probes.ts';
import { redisSpec } from '../../../local/redis.ts';
import { findTools } from '../../../local/tools.ts';

/** A Redis for one file, which may be hurt: the run's own belongs to all files. */
export interface OwnRedis {
  readonly url: string;
  /** Ends it at once; everything it held is forgotten. */
  kill(): Promise<void>;
  /** Starts it on the same address, empty. Throws when it does not answer within 10 s. */
  start(): Promise<void>;
  /** Stops its process where it is: connections stay open and nobody answers. */
  pause(): void;
  resume(): void;
  /** Ends a script that keeps it busy; a client would wait for it to be ready first. */
  killScript(): Promise<boolean>;
}

/** Starts it on a free port; it ends after the file's last test. */
export async function startOwnRedis(): Promise<OwnRedis> {
  const folder = await mkdtemp(join(tmpdir(), 'vote-redis-'));
  const [port = 0] = await anyFreePorts(1);
  const spec = redisSpec(findTools(), { dataDir: folder, port });
  const flags = ['--enable-debug-command', 'local', '--busy-reply-threshold', '50'];
  const command: typeof spec.command = [...spec.command, ...flags];
  let child: ReturnType<typeof startChild> | undefined;
  const kill = async (): Promise<void> => {
    if (child !== undefined) await stopChild(child, 'SIGKILL', 5000);
    child = undefined;
  };
  const start = async (): Promise<void> => {
    await spec.prepare();
    child = startChild({ ...spec, command });
    child.stdout?.resume();
    child.stderr?.resume();
    if (!(await waitUntil(spec.probe, 10_000))) throw new Error('redis did not start');
  };
  await start();
  afterAll(async () => {
    await kill();
    await rm(folder, { recursive: true, force: true });
  });
  return {
    url: `redis://127.0.0.1:${port}/0`,
    kill,
    start,
    pause: () => void child?.kill('SIGSTOP'),
    resume: () => void child?.kill('SIGCONT'),
    killScript: () =>
      answers(port, 'SCRIPT KILL\r\n', (answer) => answer.toString().includes('OK')),
  };
}
