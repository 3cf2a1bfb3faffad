import { expect, test } from 'vitest';
import { createTestDatabase } from '../../support/database.ts';

const database = await createTestDatabase();
const pool = database.pool('records', 1);

async function read(expression: string): Promise<unknown> {
  const { rows } = await pool.query<{ value: unknown }>(`SELECT ${expression} AS value`);
  return rows[0]!.value;
}

test('offsets and counts are numbers, alone and in lists', async () => {
  expect(await read('9007199254740991::bigint')).toBe(9_007_199_254_740_991);
  expect(await read('ARRAY[7, 9007199254740991, -1]::bigint[]')).toEqual([
    7, 9_007_199_254_740_991, -1,
  ]);
  expect(await read('ARRAY[]::bigint[]')).toEqual([]);
});

test('one that a number cannot hold stops the query', async () => {
  for (const value of ['9007199254740992::bigint', 'ARRAY[1, 9007199254740992]::bigint[]']) {
    await expect(read(value)).rejects.toThrow('bigint 9007199254740992 is not a safe integer');
  }
});
