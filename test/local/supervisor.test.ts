import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { waitUntil } from '../../local/child.ts';
import type { ProcessNode, StackNode, TaskNode } from '../../local/graph.ts';
import { Supervisor } from '../../local/supervisor.ts';
import { createTerminal } from '../../local/terminal.ts';

let folder: string;
let said: string[];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vote-supervisor-'));
  said = [];
});
afterEach(() => rm(folder, { recursive: true }));

/** A process that lives until it is told to end, and writes to a shared file when it does. */
function node(id: string, more: Partial<ProcessNode> = {}, script?: string): ProcessNode {
  const body =
    script ?? `trap 'echo ${id} >> ${folder}/ends; exit 0' TERM; while :; do sleep 0.02; done`;
  return {
    kind: 'process',
    id,
    name: id,
    region: undefined,
    url: '',
    ports: [],
    dependsOn: [],
    uses: [],
    log: 'service',
    spec: {
      command: ['sh', '-c', body],
      env: {},
      stopSignal: 'SIGTERM',
      deathSignal: 'SIGKILL',
      prepare: async () => {},
      probe: async () => true,
    },
    ...more,
  };
}

function supervise(nodes: StackNode[], onRestart = (): void => {}): Supervisor {
  const terminal = createTerminal((text) => said.push(text));
  const release = async (): Promise<void> => {};
  return new Supervisor(nodes, { terminal, logFolder: folder, onRestart, release });
}

const task = (id: string, dependsOn: string[], run: () => Promise<void>): TaskNode => ({
  kind: 'task',
  id,
  dependsOn,
  run,
});

test('what depends on something starts after it is ready and ends before it', async () => {
  const order: string[] = [];
  const supervisor = supervise([
    node('intake', { dependsOn: ['topics'] }),
    task('topics', ['kafka'], async () => void order.push('topics')),
    node('edge', { uses: ['intake'] }),
    node('kafka'),
  ]);
  await supervisor.start();
  expect(order).toEqual(['topics']);
  const ready = said.filter((line) => /ready|done/.test(line)).map((line) => line.split(' ')[0]);
  expect(ready.indexOf('kafka')).toBeLessThan(ready.indexOf('topics'));
  expect(ready.indexOf('topics')).toBeLessThan(ready.indexOf('intake'));
  await waitUntil(async () => false, 200);
  await supervisor.stop();
  const ends = (await readFile(join(folder, 'ends'), 'utf8')).trim().split('\n');
  expect(ends).toEqual(['edge', 'intake', 'kafka']);
});

test('a process that dies is restarted under a new pid, and both are said', async () => {
  let restarts = 0;
  const supervisor = supervise([node('ledger')], () => {
    restarts += 1;
  });
  await supervisor.start();
  const pid = supervisor.processes[0]?.pid ?? 0;
  process.kill(pid, 'SIGKILL');
  const isBack = async (): Promise<boolean> => said.some((line) => line.includes('ready again'));
  expect(await waitUntil(isBack, 5_000)).toBe(true);
  expect(said.join('')).toContain('ledger was ended by SIGKILL; restarting in 200 ms');
  expect(restarts).toBe(1);
  expect(supervisor.processes[0]?.pid).not.toBe(pid);
  await supervisor.stop();
  expect(supervisor.processes[0]?.pid).toBeUndefined();
});

test('a service whose configuration is not usable fails the start at once, with its words', async () => {
  const supervisor = supervise([
    node('intake', { spec: broken('echo "VOTE_PORT is missing" >&2; exit 2') }),
  ]);
  await expect(supervisor.start()).rejects.toThrow(
    /intake ended with code 2[^]*VOTE_PORT is missing/,
  );
  expect(said.filter((line) => line.includes('trying again'))).toEqual([]);
  await supervisor.stop();
});

test('one that dies while starting is tried three times', async () => {
  const supervisor = supervise([node('intake', { spec: broken('exit 1') })]);
  await expect(supervisor.start()).rejects.toThrow(/intake ended with code 1/);
  expect(said.filter((line) => line.includes('trying again'))).toHaveLength(2);
  await supervisor.stop();
});

test('a task that fails fails the start under its name', async () => {
  const failing = task('schema', [], () => Promise.reject(new Error('no such role')));
  await expect(supervise([failing]).start()).rejects.toThrow('schema: no such role');
});

test('a name that is not there, twice there, or in a circle is refused', () => {
  expect(() => supervise([node('a', { dependsOn: ['b'] })])).toThrow('a needs b');
  expect(() => supervise([node('a'), node('a')])).toThrow('the same name');
  const circle = [node('a', { dependsOn: ['b'] }), node('b', { uses: ['a'] })];
  expect(() => supervise(circle)).toThrow('A circle: a -> b -> a');
});

function broken(script: string): ProcessNode['spec'] {
  return {
    command: ['sh', '-c', script],
    env: {},
    stopSignal: 'SIGTERM',
    deathSignal: 'SIGKILL',
    prepare: async () => {},
    probe: async () => false,
  };
}

test('a stop in the middle of a start leaves nothing running', async () => {
  const slow = node('kafka');
  const pidFile = join(folder, 'pid');
  const script = `echo $$ > ${pidFile}; while :; do sleep 0.02; done`;
  const supervisor = supervise([
    {
      ...slow,
      spec: {
        ...slow.spec,
        command: ['sh', '-c', script],
        prepare: () => delay(300),
        probe: async () => false,
      },
    },
  ]);
  const started = supervisor.start();
  await delay(50);
  await supervisor.stop();
  await started;
  const pid = (await readFile(pidFile, 'utf8').catch(() => '')).trim();
  expect(pid === '' || !existsSync(`/proc/${pid}/cwd`)).toBe(true);
});
