import { describe, expect, test } from 'vitest';
import type { Recount } from '../../../local/cli/recount/recount-session.ts';
import { seededRandom, shuffled } from '../../../local/cli/recount/shuffle.ts';
import { formatRecount, parseRecountOptions } from '../../../local/cli/recount.ts';

const id = '3b241101-e2bb-4255-8caf-4136c566a962';
const half = () => 0.5;

describe('the command line', () => {
  test('counts from everything, in the order of the log, when not told otherwise', () => {
    expect(parseRecountOptions(['--session', id], half)).toEqual({
      sessionId: id,
      sources: ['rows', 'tallies', 'kafka'],
      seed: undefined,
      json: false,
    });
  });

  test('holds one source against the live tallies', () => {
    const options = parseRecountOptions(['--session', id, '--from', 'kafka'], half);
    expect(options.sources).toEqual(['tallies', 'kafka']);
  });

  test('takes a seed, or draws one', () => {
    const random = ['--session', id, '--order', 'random'];
    expect(parseRecountOptions([...random, '--seed', '7'], half).seed).toBe(7);
    expect(parseRecountOptions(random, half).seed).toBe(2147483647);
  });

  test.each([
    ['--session is missing', []],
    ['--session must be a UUID, not "x"', ['--session', 'x']],
    ['--from must be rows, tallies, kafka or all, not "x"', ['--session', id, '--from', 'x']],
    ['--order must be log or random, not "x"', ['--session', id, '--order', 'x']],
    ['--seed goes with --order random', ['--session', id, '--seed', '1']],
    [
      '--seed must be a whole number up to 4294967295, not "-1"',
      ['--session', id, '--order', 'random', '--seed=-1'],
    ],
  ])('%s', (reason, args) => {
    expect(() => parseRecountOptions(args, half)).toThrow(reason);
  });
});

const recount: Recount = {
  session: {
    session_no: 1,
    session_id: id,
    version: 3,
    title: 'A song',
    option_ids: ['blue', 'red'],
    opens_at: new Date(0),
    closes_at: new Date(1),
    sealed_at: new Date(2),
    final_at: null,
    final_statement: null,
  },
  isProvisional: false,
  covers: {},
  rows: { counts: [2, 1], total: 3, digest: 'abc' },
  tallies: { counts: [2, 1], total: 3 },
  kafka: undefined,
  notes: [],
  differences: [],
};

describe('what a person reads', () => {
  test('counts, digest and that the sources agree', () => {
    expect(formatRecount(recount, 7)).toBe(
      [
        `A song (${id}), version 3: sealed`,
        'rows     3 = blue 2, red 1',
        '         digest abc',
        'tallies  3 = blue 2, red 1',
        'The logs were read in the order of seed 7.',
        'The sources are equal.',
        '',
      ].join('\n'),
    );
  });

  test('what differs, and that it may still change', () => {
    const text = formatRecount(
      { ...recount, isProvisional: true, differences: ['blue: rows 2, tallies 1'] },
      undefined,
    );
    expect(text).toContain('provisional, it may still change');
    expect(text).toContain('The sources differ:\n  blue: rows 2, tallies 1\n');
    expect(text).not.toContain('equal');
  });
});

test('a seed gives one order, another seed another', () => {
  const items = Array.from({ length: 50 }, (_, at) => at);
  const order = (seed: number) => shuffled(items, seededRandom(seed));
  expect(order(1)).toEqual(order(1));
  expect(order(1)).not.toEqual(order(2));
  expect(order(1).toSorted((a, b) => a - b)).toEqual(items);
});
