import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';
import { bugs } from './bugs.ts';

/**
 * Loaded with `--import`: puts the bug that PLANTED names into the text of production code as it is
 * loaded. Ends with 3 when a text is not there any more, or was never loaded.
 */
const name = process.env['PLANTED'];
const patches = bugs.find((bug) => bug.name === name)?.patches ?? [];
const applied = new Set<string>();

registerHooks({
  load: (url, context, nextLoad) => {
    const here = patches.filter(({ file }) => url.endsWith(`/regional-core/${file}`));
    if (here.length === 0) return nextLoad(url, context);
    let source = readFileSync(fileURLToPath(url), 'utf8');
    for (const { file, find, put } of here) {
      if (source.split(find).length !== 2) stale(`${file} no longer holds once: ${find}`);
      source = source.replace(find, () => put);
      applied.add(find);
    }
    return { format: 'module-typescript', source, shortCircuit: true };
  },
});

process.on('exit', () => {
  for (const { file, find } of patches) {
    if (!applied.has(find)) stale(`${file} was never loaded`);
  }
});

function stale(why: string): never {
  console.error(`planted bug "${name}": ${why}`);
  process.exit(3);
}
