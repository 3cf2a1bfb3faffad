import { describe, expect, test } from 'vitest';
import {
  compareRow,
  compareSeals,
  compareTotals,
  Differences,
} from '../../../../local/cli/recount/differences.ts';
import type { SurveyedLog, Winner } from '../../../../local/cli/recount/survey-logs.ts';

test('twenty differences are listed, and of more their number', () => {
  const differences = new Differences();
  for (let no = 1; no <= 20; no++) differences.add(`difference ${no}`);
  expect(differences.listed()).toHaveLength(20);
  for (let no = 21; no <= 10_000; no++) differences.add(`difference ${no}`);
  expect(differences.listed().slice(19)).toEqual(['difference 20', 'and 9980 more']);
});

describe('a row that counts', () => {
  const row = { vote_id: 'v', option_no: 1, accepted_at_ms: 5 };
  const held = (winner: Partial<Winner>) => {
    const differences = new Differences();
    const winners = new Map([['v', { optionNo: 1, acceptedAtMs: 5, isMet: false, ...winner }]]);
    compareRow(row, winners, differences);
    return { said: differences.listed(), isMet: winners.get('v')!.isMet };
  };

  test('that its logs hold alike is met, and nothing is said', () => {
    expect(held({})).toEqual({ said: [], isMet: true });
  });

  test('with another option or time is said, without the option', () => {
    const option = "vote v is counted with another option than its first record's";
    expect(held({ optionNo: 2 })).toEqual({ said: [option], isMet: true });
    const time = "vote v is counted with another time than its first record's";
    expect(held({ acceptedAtMs: 4 })).toEqual({ said: [time], isMet: true });
  });

  test('that no log holds is said', () => {
    const differences = new Differences();
    compareRow(row, new Map(), differences);
    expect(differences.listed()).toEqual(['vote v is counted, and no log holds it']);
  });
});

test('a seal that the ledger went by must be the first valid one of its partition', () => {
  const log = { log: 'us-east-1', region_no: 1 } as SurveyedLog['log'];
  const surveyed = [{ log, seals: [10, 10, undefined, 10] } as unknown as SurveyedLog];
  const known = [10, 12, 14].map((offset, partition) => ({ region_no: 1, partition, offset }));
  const differences = new Differences();
  compareSeals(surveyed, known, differences);
  expect(differences.listed()).toEqual([
    "us-east-1, partition 1: the ledger went by the seal at 12, the log's first valid one is at 10",
    "us-east-1, partition 2: the ledger went by the seal at 14, the log's first valid one is nowhere",
  ]);
});

test('counts of every two sources are compared, and the digests of rows and logs', () => {
  const compared = (kafka: readonly number[], digest: string) => {
    const differences = new Differences();
    const rows = { counts: [2, 1], digest: 'a' };
    const sources = { rows, tallies: { counts: [2, 1] }, kafka: { counts: kafka, digest } };
    compareTotals(sources, ['blue', 'red'], differences);
    return differences.listed();
  };
  expect(compared([2, 1], 'a')).toEqual([]);
  expect(compared([2, 2], 'a')).toEqual(['red: tallies 1, kafka 2']);
  expect(compared([2, 1], 'b')).toEqual(['the digests of rows and kafka differ']);
});
