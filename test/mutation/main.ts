import { execFileSync, spawn } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { Random } from '../simulate/random.ts';
import { apply, type Mutant, mutantsOf } from './mutants.ts';

/**
 * `npm run mutate [-- --seed N --count M --simulate SEEDS]`: a sample of small changes of the vote
 * path; each must be found by the simulator or by the unit tests of its room. Works on copies of
 * the tree. Ends with 1 when fewer than 80 % are found.
 */
const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    count: { type: 'string', default: '100' },
    simulate: { type: 'string', default: '150' },
  },
});
const foundMin = 0.8;
const hangMs = 90_000;

const files: readonly string[] = [
  ...['claims', 'claim', 'submit-vote', 'produce-queue', 'batch-sender', 'standby-log'].map(
    (name) => `regional-core/intake/${name}.ts`,
  ),
  ...['worker', 'batch', 'sealer'].map((name) => `regional-core/ledger/${name}.ts`),
  ...['publisher', 'totals'].map((name) => `regional-core/publisher/${name}.ts`),
];

interface Sampled {
  readonly file: string;
  readonly source: string;
  readonly mutant: Mutant;
}

const root = new URL('../..', import.meta.url).pathname;
const waiting = sample();
const count = waiting.length;
const survivors: string[] = [];
const foundBy = new Map<string, number>();
await Promise.all([work(), work()]);
const found = count - survivors.length;
console.log(survivors.toSorted().join('\n'));
console.log([...foundBy].map(([by, times]) => `${by}: ${times}`).join(', '));
console.log(`${found} of ${count} mutants found (${((100 * found) / count).toFixed(0)} %)`);
process.exitCode = found / count >= foundMin ? 0 : 1;

function sample(): Sampled[] {
  const all = files.flatMap((file) => {
    const source = readFileSync(join(root, file), 'utf8');
    return mutantsOf(source).map((mutant) => ({ file, source, mutant }));
  });
  console.log(`${all.length} mutants, ${values.count} taken with seed ${values.seed}`);
  return new Random(Number(values.seed)).shuffle(all).slice(0, Number(values.count));
}

async function work(): Promise<void> {
  const copy = copyTree();
  try {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const path = join(copy, next.file);
      writeFileSync(path, apply(next.source, next.mutant));
      const by = await whoFinds(copy, next.file);
      writeFileSync(path, next.source);
      foundBy.set(by ?? 'nobody', (foundBy.get(by ?? 'nobody') ?? 0) + 1);
      console.log(`${(by ?? 'SURVIVES').padEnd(10)} ${describe(next)}`);
      if (by === undefined) survivors.push(describe(next));
    }
  } finally {
    rmSync(copy, { recursive: true });
  }
}

/** The tracked files as they stand, with the same modules. */
function copyTree(): string {
  const copy = mkdtempSync(join(tmpdir(), 'vote-mutant-'));
  const tracked = execFileSync('git', ['ls-files', '-co', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
  });
  for (const file of tracked
    .split('\n')
    .filter((name) => /^(regional-core|voter-web|test|local|[^/]+$)/.test(name))) {
    mkdirSync(join(copy, dirname(file)), { recursive: true });
    cpSync(join(root, file), join(copy, file), { force: true });
  }
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  return copy;
}

async function whoFinds(copy: string, file: string): Promise<string | undefined> {
  const simulate = ['test/simulate/main.ts', '--workers', '1', '--until-wrong'];
  if (await fails(copy, [...simulate, '--seeds', values.simulate])) return 'simulator';
  const room = dirname(file);
  const unit = ['node_modules/vitest/vitest.mjs', 'run', '--project', 'unit', '--bail', '1'];
  return (await fails(copy, [...unit, `test/${room}/`])) ? 'unit tests' : undefined;
}

/** Also true of what does not end. */
function fails(cwd: string, args: readonly string[]): Promise<boolean> {
  const child = spawn(process.execPath, args, { cwd, stdio: 'ignore' });
  const timer = setTimeout(() => child.kill('SIGKILL'), hangMs);
  return new Promise((resolve) => {
    child.once('close', (status) => {
      clearTimeout(timer);
      resolve(status !== 0);
    });
  });
}

function describe({ file, source, mutant }: Sampled): string {
  const line = source.slice(0, mutant.start + 1).split('\n').length;
  const was = source.slice(mutant.start, mutant.end).trim();
  return `${file}:${line} ${was} → ${mutant.put.trim() || '(left out)'}`;
}
