import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { parseApproveOptions, readVoteIds } from '../../../local/cli/approve.ts';
import { parseFinaliseOptions } from '../../../local/cli/finalise.ts';
import { parseRecoverOptions } from '../../../local/cli/recover.ts';

const id = '3b241101-e2bb-4255-8caf-4136c566a962';

test('the command lines are read', () => {
  expect(parseFinaliseOptions(['--session', id, '--key', 'k'])).toEqual({
    sessionId: id,
    key: 'k',
    passwordFile: undefined,
  });
  expect(parseRecoverOptions(['--region', 'us-east-1', '--key', 'k', '--wait', '20'])).toEqual({
    region: 'us-east-1',
    key: 'k',
    passwordFile: undefined,
    readMsMax: 20_000,
  });
  expect(parseApproveOptions(['key', '--email', 'a@b.example']).command).toBe('key');
});

test.each<[() => unknown, string]>([
  [() => parseFinaliseOptions(['--key', 'k']), '--session is missing'],
  [() => parseFinaliseOptions(['--session', 'x', '--key', 'k']), 'must be a UUID, not "x"'],
  [() => parseFinaliseOptions(['--session', id]), '--key is missing'],
  [() => parseRecoverOptions(['--key', 'k']), '--region is missing'],
  [() => parseRecoverOptions(['--region', 'r']), '--key is missing'],
  [() => parseRecoverOptions(['--region', 'r', '--key', 'k', '--wait', '0']), 'from 1 to 3600'],
  [() => parseApproveOptions([]), 'Say what to do: admin, key, sign, void, restore'],
  [() => parseApproveOptions(['key']), '--email is missing'],
  [() => parseApproveOptions(['admin', '--email', 'a']), '--new-password-file is missing'],
  [() => parseApproveOptions(['sign', '--act', 'AB', '--key', 'k']), '64 hexadecimal digits'],
  [() => parseApproveOptions(['void', '--session', 'x']), '--votes is missing'],
])('a wrong one is refused (%#)', (parse, message) => {
  expect(parse).toThrow(message);
});

test('vote ids of a file are put in order, each once', () => {
  const ids = [randomUUID(), randomUUID()].toSorted();
  expect(readVoteIds(`${ids[1]}\n${ids[0]}\r\n\n${ids[1]}\n`)).toEqual(ids);
  expect(() => readVoteIds('')).toThrow('An act names 1 to 1000 votes, not 0.');
  expect(() => readVoteIds('abc')).toThrow('"abc" is not a vote id.');
  const many = Array.from({ length: 1001 }, () => randomUUID()).join('\n');
  expect(() => readVoteIds(many)).toThrow('not 1001');
});
