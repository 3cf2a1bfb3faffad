import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { anyFreePorts, HeldPorts } from '../../local/free-ports.ts';
import { listensOn } from '../../local/listener-owner.ts';
import { planPorts, readPorts, savePorts } from '../../local/ports.ts';

const allFree = async (): Promise<boolean> => true;

test('a preferred port is given when it is free, the others follow from 9100 up', async () => {
  const wishes = [{ name: 'edge', preferred: 8080 }, { name: 'intake' }, { name: 'ledger' }];
  const { ports, notices } = await planPorts(wishes, {}, allFree);
  expect(Object.fromEntries(ports)).toEqual({ edge: 8080, intake: 9100, ledger: 9101 });
  expect(notices).toEqual([]);
});

test('a taken port gives way to the next free one, and that is said', async () => {
  const wishes = [
    { name: 'edge', preferred: 8080 },
    { name: 'portal', preferred: 8081 },
  ];
  const { ports, notices } = await planPorts(wishes, {}, async (port) => port !== 8080);
  expect(Object.fromEntries(ports)).toEqual({ edge: 8082, portal: 8081 });
  expect(notices).toEqual(['port 8080 of edge is taken by another program: using 8082']);
});

test('the port of the last run goes before the preferred one', async () => {
  const { ports } = await planPorts([{ name: 'edge', preferred: 8080 }], { edge: 8085 }, allFree);
  expect(ports.get('edge')).toBe(8085);
});

test('whatever was remembered and whatever is taken, all ports differ and are free', async () => {
  const names = ['edge', 'a', 'b', 'c', 'd'];
  const port = fc.integer({ min: 9095, max: 9110 });
  await fc.assert(
    fc.asyncProperty(
      fc.dictionary(fc.constantFrom(...names), port),
      fc.uniqueArray(port),
      async (before, taken) => {
        const wishes = names.map((name) =>
          name === 'edge' ? { name, preferred: 9100 } : { name },
        );
        const { ports } = await planPorts(wishes, before, async (one) => !taken.includes(one));
        const given = [...ports.values()];
        expect(new Set(given).size).toBe(names.length);
        expect(given.filter((one) => taken.includes(one))).toEqual([]);
      },
    ),
  );
});

test('ports are remembered, those of nodes that did not run this time too', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'vote-ports-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const path = join(folder, 'ports.json');
  await savePorts(path, { old: 9100 }, { ports: new Map([['new', 9101]]), notices: [] });
  expect(await readPorts(path)).toEqual({ old: 9100, new: 9101 });
  await writeFile(path, '{"half');
  expect(await readPorts(path)).toEqual({});
});

test('a port that is held or listened on is not given out, until it is released', async () => {
  const [port = 0] = await anyFreePorts(1);
  const mine = new HeldPorts();
  const others = new HeldPorts();
  expect(await mine.hold(port)).toBe(true);
  expect(await others.hold(port)).toBe(false);
  await mine.release([port]);
  expect(await others.hold(port)).toBe(true);
  await others.releaseAll();
});

test('a port taken on the IPv6 side of localhost only is not free', async () => {
  const server = createServer();
  const isHere = await new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(0, '::1', () => resolve(true));
  });
  const [free = 0] = await anyFreePorts(1);
  const port = isHere ? (server.address() as AddressInfo).port : free;
  const held = new HeldPorts();
  // Without IPv6 nobody can sit there, and the port is free.
  expect(await held.hold(port)).toBe(!isHere);
  await held.releaseAll();
  await new Promise((resolve) => {
    server.close(resolve);
  });
});

test('a process owns the port it listens on, and no other does', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve());
  });
  const { port } = server.address() as AddressInfo;
  expect(await listensOn(process.pid, [port])).toBe(true);
  const other = spawn('sleep', ['60']);
  expect(await listensOn(other.pid ?? 0, [port])).toBe(false);
  other.kill('SIGKILL');
  await new Promise((resolve) => {
    server.close(resolve);
  });
  expect(await listensOn(process.pid, [port])).toBe(false);
});
