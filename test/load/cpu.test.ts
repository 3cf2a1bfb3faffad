import { describe, expect, test } from 'vitest';
import { cpuPerVote, parseStat, readCpu } from './cpu.ts';

describe('CPU of a process', () => {
  test('is read past a name that holds spaces and brackets', () => {
    const line = '42 (a) b (c)) S 7 42 42 0 -1 4194560 1 2 3 4 110 20 30 5 20 0 1 0 99 0 0';
    expect(parseStat(line)).toEqual({ pid: 42, parent: 7, ownTicks: 130, goneChildrenTicks: 35 });
    expect(parseStat('')).toBeUndefined();
  });

  test('is told for a process that runs, and is 0 for one that does not', async () => {
    const place = (pid: number) => [{ url: '', pid, region: null }];
    const use = await readCpu({ here: place(process.pid), gone: place(2 ** 22 + 1) });
    expect(use.get('here')).toBeGreaterThan(0);
    expect(use.get('gone')).toBe(0);
  });

  test('is shared out over the votes, and starts anew with a restarted process', () => {
    const before = new Map([
      ['intake', 1_000],
      ['ledger', 9_000],
    ]);
    const after = new Map([
      ['intake', 3_000],
      ['ledger', 500],
    ]);
    expect(cpuPerVote(before, after, 100)).toEqual({ intake: 20, ledger: 5 });
    expect(cpuPerVote(before, after, 0)).toEqual({ intake: 0, ledger: 0 });
  });
});
