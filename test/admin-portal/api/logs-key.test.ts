import { expect, test } from 'vitest';
import { logsKey } from '../../../admin-portal/api/logs-key.ts';

const { parse } = logsKey('VOTE_LOGS', 'Logs.');

test('regions and the copies that others keep of them, in the order given', () => {
  expect(parse('us-east-1')).toEqual(['us-east-1']);
  expect(parse('us-west-2, us-east-1,us-east-1@us-west-2')).toEqual([
    'us-west-2',
    'us-east-1',
    'us-east-1@us-west-2',
  ]);
});

test.each([
  ['', 'must be regions, and region@host, separated by commas, not ""'],
  ['us east', 'not "us east"'],
  ['us-east-1,us-east-1', 'names a log twice'],
  ['us-east-1,us-west-2@us-east-1', 'names copies of or in us-west-2, but no us-west-2'],
  ['us-east-1,us-east-1@us-west-2', 'names copies of or in us-west-2, but no us-west-2'],
])('refuses %j', (text, message) => {
  expect(() => parse(text)).toThrow(message);
});
