// redis-server: from the PATH (or valkey-server), else the distribution's package, else the binary
// that rides inside a Maven artifact.

import { chmodSync, existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { maven } from './maven.mjs';
import {
  aptInstall,
  aptObstacle,
  freshFolder,
  isExecutable,
  onPath,
  root,
  run,
  SetupError,
  say,
  tools,
  toolsDir,
} from './shared.mjs';

const EMBEDDED = 'com.github.codemonstur:embedded-redis:1.4.3';
const byHand = 'install redis-server or valkey-server on the PATH, then start again.';

/**
 * Leaves in `tools.found.redisServer` a server on the PATH, the distribution's, or else the
 * embedded one, whose path is relative to the checkout. Throws a SetupError when there is none to
 * be had.
 */
export function installRedis() {
  const server = findServer() ?? install();
  tools.found.redisServer = server;
}

function findServer() {
  const kept = tools.found.redisServer;
  return (
    onPath('redis-server') ??
    onPath('valkey-server') ??
    (kept && isExecutable(join(root, kept)) ? kept : undefined)
  );
}

function install() {
  if (!aptObstacle()) {
    try {
      aptInstall('redis-server', 'Redis', byHand);
    } catch (error) {
      say(`${error.message.split('\n')[0]} Taking the embedded one.`);
    }
  }
  return onPath('redis-server') ?? unpackEmbedded();
}

function unpackEmbedded() {
  say('fetching an embedded Redis ...');
  const folder = join(toolsDir, 'redis');
  freshFolder(folder);
  maven(['dependency:copy', `-Dartifact=${EMBEDDED}`, `-DoutputDirectory=${folder}`], 'Redis');
  const arch = process.arch === 'x64' ? 'amd64' : 'arm64';
  const jar = readdirSync(folder).find((name) => name.endsWith('.jar'));
  // `jar` belongs to the JDK and may be missing; the class in it that unpacks is Java's own.
  const unpacked = jar && unzip(join(folder, jar), folder);
  const name = unpacked && readdirSync(folder).find((file) => file.endsWith(`linux-${arch}`));
  const binary = name && join(folder, name);
  if (binary && existsSync(binary)) chmodSync(binary, 0o755);
  if (!binary || !run(binary, ['--version']).ok) {
    throw new SetupError(`Redis is missing and the embedded one does not run here: ${byHand}`);
  }
  return join('.local/tools/redis', name);
}

function unzip(archive, folder) {
  return [
    ['unzip', ['-q', '-o', archive, '-d', folder]],
    ['jar', ['xf', archive]],
    ['python3', ['-m', 'zipfile', '-e', archive, folder]],
  ].some(([command, args]) => onPath(command) && run(command, args, { cwd: folder }).ok);
}
