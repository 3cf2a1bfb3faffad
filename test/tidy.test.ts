import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { expect, test } from 'vitest';

/** Limits for the far outlier; judgement comes first. */
const linesMax = 400;
const functionLinesMax = 70;
const columnsMax = 100;
const unbreakable = /[┌│└]|https?:|(['"`]).{50,}\1|\/\^?\(?.{60,}\//;

const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  encoding: 'utf8',
})
  .split('\n')
  .filter((file) => file !== '' && existsSync(file));
const code = files.filter((file) => /\.(ts|tsx|mjs|sql|lua|css)$/.test(file));
const lines = (file: string): string[] => readFileSync(file, 'utf8').split('\n');

/** A service imports its own room and what is shared; these may import everything. */
const freeRooms = ['local', 'test'];
const rooms = [
  ...['identity', 'intake', 'ledger', 'publisher', 'results', 'records', 'common', 'schema'].map(
    (name) => `regional-core/${name}`,
  ),
  'admin-portal/api',
  'voter-web',
  'waf-rules',
  'edge-config',
];

function roomOf(path: string): string | undefined {
  return rooms.find((room) => path.startsWith(`${room}/`));
}

/** Every module a file names, as a path from the root, or the package's name. */
function importsOf(file: string): string[] {
  const named = readFileSync(file, 'utf8').matchAll(/(?:from|import)\s*\(?\s*['"]([^'"]+)['"]/g);
  return [...named].map(([, name]) => {
    if (name!.startsWith('#common/')) return `regional-core/common/${name!.slice(8)}`;
    if (name!.startsWith('#waf/')) return `waf-rules/${name!.slice(5)}`;
    return name!.startsWith('.') ? normalize(join(dirname(file), name!)) : name!;
  });
}

test('a service imports its own room, what is common and the rule sets, and no other service', () => {
  const trespasses = code
    .filter((file) => /\.tsx?$/.test(file) && !freeRooms.includes(file.split('/')[0]!))
    .flatMap((file) => {
      const room = roomOf(file);
      return importsOf(file)
        .map((target) => [target, roomOf(target)] as const)
        .filter(([target, other]) => {
          if (freeRooms.includes(target.split('/')[0]!)) return true;
          if (other === undefined || other === room) return false;
          return room === 'regional-core/common' || !/common$|^waf-rules$/.test(other);
        })
        .map(([target]) => `${file} imports ${target}`);
    });
  expect(trespasses).toEqual([]);
});

test('files can be read in one go, and lines fit a screen', () => {
  const long = code.filter((file) => lines(file).length > linesMax + 1);
  expect(long).toEqual([]);
  const wide = code.flatMap((file) =>
    lines(file)
      // A byte layout is drawn to scale; an address or a sentence in quotes cannot be broken.
      .map((line, at) => [line, `${file}:${at + 1}`] as const)
      .filter(([line]) => line.length > columnsMax && !unbreakable.test(line))
      .map(([, where]) => where),
  );
  expect(wide).toEqual([]);
});

test('functions fit a screen or two', () => {
  const long = code
    .filter((file) => /\.(ts|tsx|mjs)$/.test(file) && !file.startsWith('test/'))
    // A list of declarations, however many metrics there are.
    .filter((file) => !file.endsWith('/metrics.ts'))
    .flatMap((file) => longFunctions(file, lines(file)));
  expect(long).toEqual([]);
});

/** By indentation, which the formatter keeps: a head ending in `{` to the `}` below it. */
function longFunctions(file: string, text: readonly string[]): string[] {
  const found: string[] = [];
  for (const [at, line] of text.entries()) {
    const isHead =
      /^\s*(export )?(async )?function\b.*\{$/.test(line) ||
      /^\s+(static |async |#|readonly )*[\w#]+\(.*\).*\{$/.test(line) ||
      /(=>|\): [^=]+) \{$/.test(line);
    if (!isHead || /^\s*(if|for|while|switch|describe|test)\b/.test(line)) continue;
    const indent = /^\s*/.exec(line)![0];
    const length = text.slice(at + 1).findIndex((other) => other.startsWith(`${indent}}`));
    if (length > functionLinesMax) found.push(`${file}:${at + 1} has ${length} lines`);
  }
  return found;
}

test('file names are kebab-case, and no drawer is called utils or helpers', () => {
  const odd = code.filter((file) => {
    const name = file.split('/').at(-1)!;
    return !/^[a-z0-9-]+(\.[a-z0-9-]+)+$/.test(name) || /^(utils?|helpers?|lib|misc)\./.test(name);
  });
  expect(odd).toEqual([]);
});

test('every folder of code says what it is for', () => {
  const folders = new Set(
    code
      .filter((file) => !file.startsWith('test/'))
      .map((file) => dirname(file))
      .filter((folder) => folder !== '.' && code.filter((f) => dirname(f) === folder).length > 2),
  );
  const silent = [...folders].filter((folder) => !hasReadme(folder));
  expect(silent).toEqual([]);
});

/** A small folder may be described by the page of a folder above it. */
function hasReadme(folder: string): boolean {
  if (existsSync(join(folder, 'README.md'))) return true;
  const name = `${folder.split('/').at(-1)}/`;
  for (let above = dirname(folder); above !== '.'; above = dirname(above)) {
    const page = join(above, 'README.md');
    if (existsSync(page)) return readFileSync(page, 'utf8').includes(name);
  }
  return false;
}

test('there is one package.json, and no file is larger than a reader would want', () => {
  expect(files.filter((file) => file.endsWith('package.json'))).toEqual(['package.json']);
  const large = files.filter(
    (file) => statSync(file).size > 500_000 && file !== 'package-lock.json',
  );
  expect(large).toEqual([]);
});

test('nothing is left to do later, nothing is skipped, and nothing names this machine', () => {
  const marks = [
    /\bTO[D]O\b/,
    /\bFIX[M]E\b/,
    /\.ski[p]\(/,
    /\.onl[y]\(/,
    /\/wor[k]\//,
    /@ts-ignor[e]/,
  ];
  const left = files
    .filter((file) => /\.(ts|tsx|mjs|sql|lua|json|md|yaml|css)$/.test(file))
    .filter((file) => file !== 'package-lock.json')
    .flatMap((file) =>
      lines(file)
        .map((line, at) => [line, `${file}:${at + 1}`] as const)
        .filter(([line]) => marks.some((mark) => mark.test(line)))
        .map(([, where]) => where),
    );
  expect(left).toEqual([]);
});
