import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { gone, startChild, stopChild, waitUntil } from '../../local/child.ts';
import type { ProcessSpec } from '../../local/process-spec.ts';
import { root } from '../../local/tools.ts';

function shell(script: string): ProcessSpec {
  return {
    command: ['sh', '-c', script],
    env: {},
    stopSignal: 'SIGTERM',
    deathSignal: 'SIGKILL',
    prepare: async () => {},
    probe: async () => true,
  };
}

const isAlive = (pid: number | undefined): boolean =>
  pid !== undefined && existsSync(`/proc/${pid}/cwd`);

test('a process that obeys is stopped without a kill', async () => {
  const child = startChild(shell('trap "exit 0" TERM; while :; do sleep 0.05; done'));
  await delay(200);
  expect(await stopChild(child, 'SIGTERM', 5_000)).toBe(true);
  expect(child.exitCode).toBe(0);
});

test('one that does not is killed at the limit, with all it started', async () => {
  const child = startChild(shell('trap "" TERM; sleep 60 & echo $!; wait; wait; sleep 60'));
  const [line] = (await once(child.stdout!, 'data')) as [Buffer];
  const grandchild = Number(line.toString());
  expect(isAlive(grandchild)).toBe(true);
  expect(await stopChild(child, 'SIGTERM', 200)).toBe(false);
  expect(child.signalCode).toBe('SIGKILL');
  expect(await waitUntil(async () => !isAlive(grandchild), 2_000)).toBe(true);
});

test('a command that is not there counts as gone', async () => {
  const child = startChild({ ...shell(''), command: ['/no/such/command'] });
  await gone(child);
  expect(child.exitCode).toBe(127);
  expect(await stopChild(child, 'SIGTERM', 100)).toBe(true);
});

test('the environment is what the spec gives, and nothing of ours', async () => {
  process.env['VOTE_LEAKED'] = 'x';
  const child = startChild({ ...shell('env'), env: { VOTE_REGION: 'moon' } });
  const chunks: Buffer[] = [];
  child.stdout!.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(child, 'close');
  delete process.env['VOTE_LEAKED'];
  const text = Buffer.concat(chunks).toString();
  expect(text).toContain('VOTE_REGION=moon');
  expect(text).not.toContain('VOTE_LEAKED');
});

test('when the one who started it is killed, it does not live on', async () => {
  const script = `
    import { startChild } from ${JSON.stringify(`${root}/local/child.ts`)};
    const spec = { command: ['sleep', '60'], env: {}, stopSignal: 'SIGTERM', deathSignal: 'SIGKILL' };
    console.log(startChild(spec).pid);
    setInterval(() => {}, 1000);`;
  const parent = spawn(process.execPath, ['--input-type=module', '-e', script], { cwd: root });
  const [line] = (await once(parent.stdout, 'data')) as [Buffer];
  const pid = Number(line.toString());
  // Until setpriv has run, the kernel does not know of the promise.
  expect(await waitUntil(async () => isAlive(pid), 2_000)).toBe(true);
  await delay(200);
  parent.kill('SIGKILL');
  expect(await waitUntil(async () => !isAlive(pid), 2_000)).toBe(true);
});
