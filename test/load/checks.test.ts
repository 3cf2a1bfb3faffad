import { describe, expect, test } from 'vitest';
import type { Balance } from './balance.ts';
import { type Check, checkRun } from './checks.ts';
import { Gauge } from './gauge.ts';

const balance: Balance = {
  accepted: 3,
  counted: 2,
  duplicate: 0,
  replayed: 1,
  late: 0,
  quarantined: 0,
  void: 0,
  pending: 0,
};

/** Three voters: a and b accepted, c of unknown outcome. */
function gaugeOfThree(): Gauge {
  const gauge = new Gauge();
  gauge.voters.push('a', 'b', 'c');
  gauge.acceptedIds.push('a', 'b');
  gauge.unknown = 1;
  return gauge;
}

const recorded = (counted: string[], listed: string[] = []) => ({
  counted: new Set(counted),
  listed: new Set(listed),
});
const failed = (checks: readonly Check[]): string[] =>
  checks.filter(({ ok }) => !ok).map(({ name }) => name);

describe('the checks of a run', () => {
  test('pass when every accepted vote has a row, and one of unknown outcome may have one', () => {
    expect(failed(checkRun(gaugeOfThree(), recorded(['a', 'b', 'c']), balance))).toEqual([]);
  });

  test('pass when an accepted vote is listed as late', () => {
    expect(failed(checkRun(gaugeOfThree(), recorded(['a'], ['b']), balance))).toEqual([]);
  });

  test('fail for an accepted vote that is nowhere, and name it', () => {
    const checks = checkRun(gaugeOfThree(), recorded(['a']), balance);
    expect(failed(checks)).toEqual(['recorded']);
    expect(checks[1]!.text).toBe('1 of 2 accepted votes have no row and no state, for one b');
  });

  test('fail when more voters are counted than can be', () => {
    const gauge = gaugeOfThree();
    gauge.unknown = 0;
    gauge.refused = 1;
    expect(failed(checkRun(gauge, recorded(['a', 'b', 'c']), balance))).toEqual(['counted']);
  });

  test('fail for a voter without an outcome', () => {
    const gauge = gaugeOfThree();
    gauge.unknown = 0;
    expect(failed(checkRun(gauge, recorded(['a', 'b']), balance))).toEqual(['voters']);
  });

  test.each([
    ['a record is pending', { ...balance, counted: 1, pending: 1 }],
    ['the verdicts do not add up', { ...balance, accepted: 4 }],
    [
      'the log holds fewer records than there are answers of 201',
      { ...balance, accepted: 1, counted: 1, replayed: 0 },
    ],
  ])('fail when %s', (_, off) => {
    expect(failed(checkRun(gaugeOfThree(), recorded(['a', 'b']), off))).toEqual(['balance']);
  });
});
