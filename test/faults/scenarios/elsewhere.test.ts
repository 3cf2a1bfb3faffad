import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { root } from '../../../local/tools.ts';
import { elsewhere } from './elsewhere.ts';

const pathsIn = (text: string): string[] => text.match(/test\/[\w./-]+\.ts/g) ?? [];

test.each(elsewhere)('what $id names is there', ({ elsewhere: text }) => {
  const missing = pathsIn(text).filter((path) => !existsSync(join(root, path)));
  expect(missing).toEqual([]);
  expect(pathsIn(text).length > 0 || text.startsWith('not applicable')).toBe(true);
});
