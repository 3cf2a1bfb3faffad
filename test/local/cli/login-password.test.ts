import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest';
import { loginOf } from '../../../local/cli/login-password.ts';

const firstAdmin = { email: 'admin@vote.example', password: 'of the local stack' };
const second = { email: 'notary@vote.example', password: 'of the local stack, too' };
const known = [firstAdmin, second];
const email = 'ben@vote.example';

const folder = mkdtempSync(join(tmpdir(), 'vote-password-'));
afterAll(() => rmSync(folder, { recursive: true }));

function fileWith(content: string): string {
  const path = join(folder, 'password');
  writeFileSync(path, content);
  return path;
}

describe('from a file', () => {
  test('the line break that an editor puts behind it is not part of the password', async () => {
    for (const end of ['', '\n', '\r\n']) {
      const login = await loginOf(email, fileWith(`correct horse${end}`), known);
      expect(login).toEqual({ email, password: 'correct horse' });
    }
  });

  test("the file goes before what is known: the local stack's admin may have another one", async () => {
    const login = await loginOf(firstAdmin.email, fileWith('a new one'), known);
    expect(login).toEqual({ email: firstAdmin.email, password: 'a new one' });
  });

  test('a file that is not there is an error, and nobody is asked', async () => {
    await expect(loginOf(email, join(folder, 'nowhere'), known)).rejects.toThrow('ENOENT');
  });
});

test("the local stack's first admins need not be asked", async () => {
  expect(await loginOf(firstAdmin.email, undefined, known)).toEqual(firstAdmin);
  expect(await loginOf(second.email, undefined, known)).toEqual(second);
});

describe('asked for', () => {
  const ownStdin = Object.getOwnPropertyDescriptor(process, 'stdin')!;
  afterEach(() => {
    Object.defineProperty(process, 'stdin', ownStdin);
    vi.restoreAllMocks();
  });

  function standInFor(stdin: PassThrough & { isTTY?: boolean }): void {
    Object.defineProperty(process, 'stdin', { value: stdin, configurable: true });
  }

  test('in the terminal, which shows who is meant and not what is typed', async () => {
    const keyboard = Object.assign(new PassThrough(), { isTTY: true });
    standInFor(keyboard);
    const shown: string[] = [];
    for (const screen of [process.stdout, process.stderr]) {
      vi.spyOn(screen, 'write').mockImplementation((text) => shown.push(String(text)) > 0);
    }
    const asking = loginOf(email, undefined, known);
    keyboard.write('hunter two\r');
    expect(await asking).toEqual({ email, password: 'hunter two' });
    expect(shown).toEqual([`Password of ${email}: `, '\n']);
  });

  test('without a terminal nobody waits: the way out is said', async () => {
    standInFor(new PassThrough());
    await expect(loginOf(email, undefined, known)).rejects.toThrow(
      `Give the password of ${email} with --password-file FILE.`,
    );
  });
});
