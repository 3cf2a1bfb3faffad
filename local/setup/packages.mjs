// npm packages, and Node 24 among them: the services run on the Node that the lock file names, not
// on the one that this machine happens to have.

import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import {
  isNetworkTrouble,
  readJson,
  root,
  run,
  SetupError,
  say,
  sha256,
  tail,
  tools,
  writeWhole,
} from './shared.mjs';

const NODE_MIN = [24, 14, 1];
const stampPath = join(root, 'node_modules/.setup.json');

/**
 * Does nothing while the packages are those of the lock file. Throws a SetupError with npm's last
 * lines.
 */
export function installPackages() {
  const lockPath = join(root, 'package-lock.json');
  if (!existsSync(lockPath)) throw new SetupError('package-lock.json is missing: clone again.');
  if (readJson(stampPath)?.lock === lockHash(lockPath) && isComplete()) return;
  if (isInstalledByHand(lockPath)) return stamp(lockPath);
  say('installing npm packages (about a minute) ...');
  const flags = ['--no-audit', '--no-fund', '--loglevel=error'];
  const clean = npm(['ci', ...flags]);
  // `npm ci` refuses when a registry lags behind the lock on a platform package; `install` mends
  // that.
  const result = clean.ok ? clean : npm(['install', ...flags]);
  if (!result.ok) {
    const reason = isNetworkTrouble(result.output)
      ? 'the npm registry cannot be reached; check the network and start again.'
      : 'npm said:';
    throw new SetupError(`npm packages could not be installed: ${reason}\n${tail(result.output)}`);
  }
  stamp(lockPath);
}

function npm(args) {
  // A NODE_ENV of production would leave the tools for building the page out.
  return run('npm', [...args, '--include=dev', '--include=optional'], {
    env: { ...process.env, NODE_ENV: 'development' },
  });
}

function stamp(lockPath) {
  writeWhole(stampPath, `${JSON.stringify({ lock: lockHash(lockPath) })}\n`);
}

function lockHash(lockPath) {
  return sha256(readFileSync(lockPath));
}

/** Every direct dependency is there; what is below them is npm's word. */
function isComplete() {
  const { dependencies, devDependencies } = readJson(join(root, 'package.json')) ?? {};
  const names = Object.keys({ ...dependencies, ...devDependencies });
  return names.every((name) => existsSync(join(root, 'node_modules', name, 'package.json')));
}

/** A developer who ran `npm install` himself need not wait for a second one. */
function isInstalledByHand(lockPath) {
  const installed = readJson(join(root, 'node_modules/.package-lock.json'))?.packages;
  const wanted = readJson(lockPath)?.packages;
  if (!installed || !wanted) return false;
  return Object.entries(wanted).every(
    ([path, entry]) => path === '' || entry.optional || installed[path]?.version === entry.version,
  );
}

/** Throws a SetupError when npm brought no such Node, and lets the next start install again. */
export function checkNode24() {
  const path = join(root, 'node_modules/.bin/node');
  const version = existsSync(path) ? nodeVersion(path) : undefined;
  if (version && isAtLeast(version, NODE_MIN)) return;
  rmSync(stampPath, { force: true });
  throw new SetupError(
    `Node ${NODE_MIN.join('.')} or newer was not installed by npm (found ${version ?? 'none'} in ` +
      'node_modules/.bin/node): remove node_modules and start again; if it stays so, the npm ' +
      'registry in use lacks the package node-linux-' +
      `${process.arch} of package-lock.json.`,
  );
}

/** Asking the binary costs 40 ms, so its answer is kept with the version npm installed. */
function nodeVersion(path) {
  const installed = readJson(join(root, `node_modules/node-linux-${process.arch}/package.json`));
  const known = tools.found.node;
  if (known && known.package === installed?.version) return known.version;
  const result = run(path, ['--version']);
  const version = /^v(\d+\.\d+\.\d+)/.exec(result.output)?.[1];
  if (result.ok && version) tools.found.node = { package: installed?.version, version };
  return result.ok ? version : undefined;
}

function isAtLeast(version, minimum) {
  const parts = version.split('.').map(Number);
  for (const [place, wanted] of minimum.entries()) {
    if (parts[place] !== wanted) return parts[place] > wanted;
  }
  return true;
}
