// Builds the voters' page when a source of it changed since the last build.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { readJson, root, run, SetupError, say, sha256, tail, writeWhole } from './shared.mjs';

/** Throws a SetupError with the builder's last lines; the next start builds again then. */
export function buildPages() {
  const page = join(root, 'voter-web');
  if (!existsSync(join(page, 'index.html'))) {
    throw new SetupError('voter-web/index.html is missing: the checkout is not complete.');
  }
  const dist = join(page, 'dist');
  const stampPath = join(dist, '.built.json');
  const wanted = sourcesHash(page);
  if (readJson(stampPath)?.sources === wanted) return;
  say('building voter-web ...');
  const result = run(join(root, 'node_modules/.bin/node'), [
    join(root, 'node_modules/vite/bin/vite.js'),
    'build',
    'voter-web',
    '--logLevel=warn',
  ]);
  if (!result.ok || !existsSync(join(dist, 'index.html'))) {
    throw new SetupError(`voter-web could not be built:\n${tail(result.output)}`);
  }
  writeWhole(stampPath, `${JSON.stringify({ sources: wanted })}\n`);
}

/** The lock counts too: another bundler version gives another page. */
function sourcesHash(page) {
  const files = sourceFiles(page);
  const lock = readFileSync(join(root, 'package-lock.json'));
  return sha256(lock, ...files.flatMap((file) => [relative(page, file), readFileSync(file)]));
}

function sourceFiles(folder) {
  const entries = readdirSync(folder, { withFileTypes: true });
  // The order of a folder is the file system's own; the hash must not depend on it.
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  return entries.flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      return entry.name === 'dist' || entry.name === 'node_modules' ? [] : sourceFiles(path);
    }
    return entry.isFile() ? [path] : [];
  });
}
