import { expect, test } from 'vitest';
import { systemClock } from '#common/clock.ts';
import { createLog } from '#common/log.ts';
import { repeat } from '#common/repeat.ts';

test('work goes on after failures, which are said once, until the signal', async () => {
  const lines: string[] = [];
  const log = createLog({ service: 'test' }, 'info', { write: (line) => lines.push(line) });
  const stop = new AbortController();
  let times = 0;
  const act = async (): Promise<void> => {
    times += 1;
    if (times <= 3) throw new Error('away');
    if (times === 5) stop.abort();
  };
  await repeat({ name: 'reading', everyMs: 1, act }, { clock: systemClock, log }, stop.signal);
  expect(times).toBe(5);
  expect(lines.map((line) => JSON.parse(line).msg)).toEqual([
    'reading: failed, trying again',
    'reading: works again',
  ]);
});

test('what fails because it is told to end is not said', async () => {
  const lines: string[] = [];
  const log = createLog({ service: 'test' }, 'info', { write: (line) => lines.push(line) });
  const stop = new AbortController();
  const act = (): Promise<void> => {
    stop.abort();
    return Promise.reject(stop.signal.reason);
  };
  await repeat({ name: 'reading', everyMs: 1, act }, { clock: systemClock, log }, stop.signal);
  expect(lines).toEqual([]);
});
