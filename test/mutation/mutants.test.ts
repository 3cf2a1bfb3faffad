import { expect, test } from 'vitest';
import { apply, mutantsOf } from './mutants.ts';

const source = `import { a } from './a.ts';
// if (x === y) is only said here
export function f(x: number): number {
  if (x < 3 && a) return 'x < 3'.length;
  log.info('a === b');
  act(x);
  return x - 1;
}
`;

test('operators, conditions, constants and statements are changed, one at a time', () => {
  const changed = mutantsOf(source).map((mutant) => apply(source, mutant));
  const line = (text: string, at: number): string => text.split('\n')[at]!;
  expect(new Set(changed.map((text) => line(text, 3)))).toEqual(
    new Set([
      line(source, 3),
      "  if (x <= 3 && a) return 'x < 3'.length;",
      "  if (x < 3 || a) return 'x < 3'.length;",
      "  if (x < (3 * 2) && a) return 'x < 3'.length;",
      "  if (true) return 'x < 3'.length;",
      "  if (false) return 'x < 3'.length;",
    ]),
  );
  expect(changed.map((text) => line(text, 5))).toContain('');
  expect(changed.map((text) => line(text, 6))).toEqual(
    expect.arrayContaining(['  return x + 1;', '  return x - (1 * 2);']),
  );
});

test('imports, comments, strings and what is logged stay as they are', () => {
  for (const text of mutantsOf(source).map((mutant) => apply(source, mutant))) {
    const lines = text.split('\n');
    const kept = source.split('\n');
    for (const at of [0, 1, 4]) expect(lines[at]).toBe(kept[at]);
  }
});
