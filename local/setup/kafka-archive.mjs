// Class data sharing (JEP 350): a broker is started once, and at its end Java writes the classes it
// loaded, parsed and linked, to a file that later starts map into memory. Measured: 6.7 s of CPU to
// the open port without, 4.7 with it. Without the file everything works, only slower.

import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run, say, tools } from './shared.mjs';

const READY_MS_MAX = 90_000;
const END_MS_MAX = 90_000;

/**
 * Makes `classes.jsa` in the folder that has Kafka's `lib/`; needs `tools.found.java`. Never
 * rejects for a broker that does not come up or end: it says so, and there is no archive then.
 * Takes up to three minutes.
 */
export async function archiveClasses(folder) {
  say('preparing a quick start of Kafka ...');
  const place = mkdtempSync(join(tmpdir(), 'vote-kafka-'));
  const archive = join(folder, 'classes.jsa');
  rmSync(archive, { force: true });
  try {
    const port = await freePort();
    const config = join(place, 'server.properties');
    writeFileSync(config, properties(port, await freePort(), join(place, 'log')));
    const java = ['-Xmx256m', '-cp', `${join(folder, 'lib')}/*`];
    // One word: an id may begin with a dash, which alone would be taken for an option.
    const id = `--cluster-id=${randomBytes(16).toString('base64url')}`;
    const format = ['kafka.tools.StorageTool', 'format', '--standalone', id, '-c', config];
    if (!run(tools.found.java.path, [...java, ...format]).ok) throw new Error('no storage');
    const dump = `-XX:ArchiveClassesAtExit=${archive}.new`;
    await runUntilOpen([dump, ...java, 'kafka.Kafka', config], port);
    renameSync(`${archive}.new`, archive);
  } catch (error) {
    rmSync(`${archive}.new`, { force: true });
    say(`Kafka will start a little slower: ${error.message}`);
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

function properties(port, controllerPort, logDir) {
  return `process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers=127.0.0.1:${controllerPort}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}
advertised.listeners=PLAINTEXT://127.0.0.1:${port}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs=${logDir}
`;
}

/** The archive is written when the broker ends by itself, so it is asked to and given the time. */
async function runUntilOpen(args, port) {
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', tools.found.java.path, ...args], {
    stdio: 'ignore',
  });
  const ended = new Promise((resolve) => {
    child.once('exit', resolve);
    child.once('error', resolve);
  });
  const deadline = Date.now() + READY_MS_MAX;
  while (!(await isOpen(port)) && child.exitCode === null && Date.now() < deadline) {
    await pause(100);
  }
  const isReady = await isOpen(port);
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), END_MS_MAX);
  await ended;
  clearTimeout(timer);
  if (!isReady || child.signalCode === 'SIGKILL') throw new Error('a first broker did not start');
}

function isOpen(port) {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true));
    socket.once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

function pause(ms) {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
