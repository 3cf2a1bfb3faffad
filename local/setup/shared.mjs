// What every step of the set-up needs: where things are, how a command is run, how a failure is
// told.

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  accessSync,
  chmodSync,
  constants,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
export const toolsDir = join(root, '.local/tools');

const FREE_BYTES_MIN = 300_000_000;
const COMMAND_MS_MAX = 15 * 60_000;

/** A failure that is told as it stands: one sentence what was wrong and what to do. */
export class SetupError extends Error {}

/** The one sentence for any failure; a full disk is told as such wherever it was met. */
export function explain(error) {
  if (error instanceof SetupError) return error.message;
  if (error?.code === 'ENOSPC') return diskFull();
  if (error?.code === 'EACCES' || error?.code === 'EROFS') {
    return `Cannot write ${error.path ?? root}: make it writable for this user and start again.`;
  }
  return `Unexpected failure: ${error?.stack ?? error}`;
}

function diskFull() {
  return `The disk under ${root} is full: free at least 2 GB and start again.`;
}

/**
 * What was found where. Read by local/tools.ts; survives between runs in .local/tools/tools.json.
 */
export const tools = {
  found: readJson(join(toolsDir, 'tools.json')) ?? {},
  save() {
    writeWhole(join(toolsDir, 'tools.json'), `${JSON.stringify(this.found, null, 2)}\n`);
  },
};

/**
 * Linux is assumed by the binaries; too little room is better told now than by a broken install.
 */
export function checkMachine() {
  if (process.platform !== 'linux' || !['x64', 'arm64'].includes(process.arch)) {
    throw new SetupError(
      `The local stack runs on Linux (x64 or arm64), this is ${process.platform} ${process.arch}: ` +
        'use `docker compose up` here.',
    );
  }
  if (!onPath('setpriv') || !onPath('unshare')) {
    throw new SetupError('setpriv and unshare are missing: install the package util-linux.');
  }
  const disk = statfsSync(root);
  if (disk.bavail * disk.bsize < FREE_BYTES_MIN) throw new SetupError(diskFull());
}

/** Undefined for a file that is not there, cannot be read or does not hold JSON. */
export function readJson(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}

/** Writes beside and renames, so that a reader or a crash never meets half a file. */
export function writeWhole(path, text) {
  writeFileSync(`${path}.new`, text);
  renameSync(`${path}.new`, path);
}

/**
 * Lower-case hex. The parts are hashed as one: where one ends and the next begins is not in it.
 */
export function sha256(...parts) {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
}

/** The first executable of that name on the PATH (system folders too), or undefined. */
export function onPath(name) {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/bin', '/bin'];
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

/** For this user, links followed; true for a folder, too. */
export function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Says what is being installed, before the wait. */
export function say(text) {
  console.log(`setup: ${text}`);
}

/**
 * Runs a command to its end and gives `{ok, output}`; output is stdout and stderr together.
 * A command that cannot be started counts as failed, one that hangs is ended after 15 minutes.
 */
export function run(command, args, options = {}) {
  const result = spawnSync(command, args, {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    timeout: COMMAND_MS_MAX,
    stdio: ['ignore', 'pipe', 'pipe'],
    ...options,
  });
  const output = `${result.stdout ?? ''}${result.stderr ?? ''}${result.error?.message ?? ''}`;
  if (/ENOSPC|No space left on device/.test(output)) throw new SetupError(diskFull());
  return { ok: result.status === 0, output };
}

/** The end of an output, for the human who has to mend it. */
export function tail(output) {
  return output.trim().split('\n').slice(-12).join('\n');
}

/** A guess by what npm, Maven and apt print: it chooses the advice, and nothing else. */
export function isNetworkTrouble(output) {
  const signs = [
    'ENOTFOUND|EAI_AGAIN|ETIMEDOUT|ECONNREFUSED|ECONNRESET|ENETUNREACH',
    'Unknown host|Could not (?:transfer|resolve)|Temporary failure',
  ];
  return new RegExp(signs.join('|'), 'i').test(output);
}

let isIndexFresh = false;

/** Whether Debian packages can be installed here, and if not, why, as the end of a sentence. */
export function aptObstacle() {
  if (!existsSync('/etc/debian_version') || !onPath('apt-get')) return 'there is no apt-get here';
  if (process.getuid?.() !== 0) return 'only root may install packages';
  return undefined;
}

/**
 * Installs a Debian package without starting its system service. Throws a SetupError that tells
 * what failed; `what` names the thing in words, `instead` is what to do by hand.
 */
export function aptInstall(packageName, what, instead) {
  const obstacle = aptObstacle();
  if (obstacle) throw new SetupError(`${what} is missing and ${obstacle}: ${instead}`);
  say(`installing ${packageName} (${what}) ...`);
  withoutServiceStart(() => {
    if (aptGet(['install', '-y', '--no-install-recommends', packageName]).ok) return;
    if (!isIndexFresh) {
      const update = aptGet(['update']);
      isIndexFresh = update.ok;
    }
    const second = aptGet(['install', '-y', '--no-install-recommends', packageName]);
    if (second.ok) return;
    const reason = isNetworkTrouble(second.output) ? 'the package server cannot be reached' : '';
    throw new SetupError(
      `apt-get could not install ${packageName}${reason && `: ${reason}`}. ${instead}\n` +
        tail(second.output),
    );
  });
}

function aptGet(args) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  return run('apt-get', ['-q', ...args], { env });
}

/** Debian starts a service when its package is installed, unless this policy file says no (101). */
function withoutServiceStart(install) {
  const policy = '/usr/sbin/policy-rc.d';
  if (existsSync(policy)) return install();
  writeFileSync(policy, '#!/bin/sh\nexit 101\n');
  chmodSync(policy, 0o755);
  try {
    return install();
  } finally {
    rmSync(policy, { force: true });
  }
}

/** The folder, empty: what was there is deleted. */
export function freshFolder(path) {
  rmSync(path, { recursive: true, force: true });
  mkdirSync(path, { recursive: true });
}
