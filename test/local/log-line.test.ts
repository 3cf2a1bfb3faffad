import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { forHumans } from '../../local/log-line.ts';

test('a JSON line is shown as level, message and what it is about', () => {
  const line = JSON.stringify({
    time: '2026-01-01T00:00:00.000Z',
    level: 'warn',
    service: 'intake',
    region: 'us-east-1',
    msg: 'redis is away',
    tries: 3,
    why: 'timed out',
    err: { message: 'boom', stack: 'Error: boom\n  at x' },
  });
  expect(forHumans(line, 'service')).toBe('warn redis is away tries=3 why="timed out" err="boom"');
});

test('a line that is no JSON is shown as it is, an empty one not at all', () => {
  expect(forHumans('Error: Cannot find module', 'service')).toBe('Error: Cannot find module');
  expect(forHumans('{"half', 'service')).toBe('{"half');
  expect(forHumans(' ', 'service')).toBeUndefined();
});

test.each([
  ['kafka', '2026-11-22T21:17:46.891 WARN Foo Unable to read', undefined],
  ['kafka', '2026-11-22T21:17:46.891 ERROR EventPerformanceMonitor slow event', undefined],
  ['kafka', '2026-11-22T21:17:46.891 FATAL Foo Exiting', 'shown'],
  ['postgres', '2026-11-22 UTC [1] FATAL:  the database system is starting up', undefined],
  ['postgres', '2026-11-22 UTC [1] PANIC:  could not write: No space left', 'shown'],
  ['redis', '1:M 22 Nov 2026 # Server initialized', undefined],
  ['redis', '1:M 22 Nov 2026 # WARNING Memory overcommit must be enabled! may fail', undefined],
  ['redis', '1:M 22 Nov 2026 # Fatal error, cannot open the port', 'shown'],
] as const)('of %s a human sees trouble only: %s', (kind, line, verdict) => {
  expect(forHumans(line, kind)).toBe(verdict === 'shown' ? line : undefined);
});

test('no line, whatever it holds, throws or floods', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (line) => {
      expect((forHumans(line, 'service') ?? '').length).toBeLessThanOrEqual(401);
    }),
  );
});
