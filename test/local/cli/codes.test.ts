import { spawn, spawnSync } from 'node:child_process';
import { createSecretKey, randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { parseCodesOptions, printableCodes, readVotingCodeKey } from '../../../local/cli/codes.ts';
import { readCode } from '../../../regional-core/identity/ballot/voting-code.ts';

const command = join(import.meta.dirname, '../../../local/cli/codes.ts');
const folder = mkdtempSync(join(tmpdir(), 'codes-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('as many codes are printed as are asked for, all different, all good for the session', () => {
  const key = randomBytes(32);
  const sessionId = randomUUID();
  const codes = [...printableCodes(key, sessionId, 1000, randomBytes)];
  expect(new Set(codes).size).toBe(1000);
  for (const code of codes) expect(readCode(createSecretKey(key), sessionId, code)).toBeDefined();
});

test('two print runs give different codes', () => {
  const print = () => [...printableCodes(key, sessionId, 100, randomBytes)];
  const [key, sessionId] = [randomBytes(32), randomUUID()];
  expect(new Set([...print(), ...print()]).size).toBe(200);
});

test.each([
  [[], '--session is missing'],
  [['--session', randomUUID()], '--count is missing'],
  [['--session', 'x', '--count', '1'], '--session must be a UUID, not "x"'],
  [['--session', randomUUID(), '--count', '0'], '--count must be a whole number'],
  [['--session', randomUUID(), '--count', '1e3'], '--count must be a whole number'],
  [['--session', randomUUID(), '--count', '500000001'], '--count must be a whole number'],
  [['--sesion', randomUUID()], "Unknown option '--sesion'"],
  [['more'], "Unexpected argument 'more'"],
])('the command line %j is answered with what is wrong and the usage', (args, message) => {
  expect(() => parseCodesOptions(args)).toThrow(message);
  expect(() => parseCodesOptions(args)).toThrow('Usage: npm run -s codes');
});

test('without a key it says what to do', () => {
  expect(() => readVotingCodeKey(folder)).toThrow('run `npm start` once first');
  writeFileSync(join(folder, 'voting-code-key'), 'short\n');
  expect(() => readVotingCodeKey(folder)).toThrow('does not hold a key of at least 32 bytes');
});

test('a wrong command line is told on standard error alone, with status 1', () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [command, '--count', '1']);
  expect([status, String(stdout)]).toEqual([1, '']);
  expect(String(stderr)).toMatch(/^--session is missing\.\n/);
});

test('a reader that has enough ends the printing without an error', async () => {
  const script = `
    import { randomBytes } from 'node:crypto';
    import { writeCodes } from ${JSON.stringify(command)};
    await writeCodes(randomBytes(32), ${JSON.stringify(randomUUID())}, 100_000_000);
  `;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script]);
  const errors: string[] = [];
  child.stderr.on('data', (text) => errors.push(String(text)));
  await once(child.stdout, 'data');
  child.stdout.destroy();
  const [code] = await once(child, 'exit');
  expect([code, errors.join('')]).toEqual([0, '']);
});
