import { describe, expect, test } from 'vitest';
import { addUp, formatBalance, parseBalanceOptions } from '../../../local/cli/balance.ts';
import type { BalanceRow } from '../../../regional-core/records/sql/read-balance.ts';

const sessionId = '3b241101-e2bb-4255-8caf-4136c566a962';

function row(changes: Partial<BalanceRow> = {}): BalanceRow {
  return {
    session_id: sessionId,
    region: 'us-east-1',
    partition: 0,
    ledger_next: 10,
    log_next: 0,
    accepted: 0,
    counted: 7,
    duplicate: 1,
    replayed: 1,
    late: 0,
    quarantined: 1,
    is_live: true,
    log_control: 0,
    control: 0,
    checked_off: 0,
    void: 0,
    ...changes,
  };
}

function holds(before: number, from: number, partition = 0) {
  const partitions = [];
  partitions[partition] = { partition, before, from, controlFrom: 0 };
  for (let other = 0; other < partition; other++) {
    partitions[other] = { partition: other, before: 0, from: 0, controlFrom: 0 };
  }
  return new Map([['us-east-1', partitions]]);
}

describe('adding up', () => {
  test('what lies before the ledger is judged, what lies behind it is pending', () => {
    expect(addUp([row()], holds(10, 3))).toEqual({
      balance: {
        accepted: 13,
        counted: 7,
        duplicate: 1,
        replayed: 1,
        late: 0,
        quarantined: 1,
        void: 0,
        pending: 3,
      },
      faults: [],
    });
  });

  test('names the partition where a record has no verdict, although the sum is right', () => {
    const rows = [row(), row({ partition: 1, counted: 8 })];
    const held = new Map([
      [
        'us-east-1',
        [
          { partition: 0, before: 11, from: 0, controlFrom: 0 },
          { partition: 1, before: 10, from: 0, controlFrom: 0 },
        ],
      ],
    ]);
    const { balance, faults } = addUp(rows, held);
    expect(balance.pending).toBe(0);
    expect(faults).toEqual([
      'us-east-1, partition 0, before offset 10: ' +
        'the log holds 11 records and the ledger judged 10',
      'us-east-1, partition 1, before offset 10: ' +
        'the log holds 10 records and the ledger judged 11',
    ]);
  });

  test('names a region whose log cannot be read here', () => {
    const rows = [row(), row({ region: 'us-west-2' })];
    expect(addUp(rows, holds(10, 0)).faults).toEqual([
      'us-west-2 does not run here, and the ledger judged 10 records of its log',
    ]);
  });

  test('seals are no votes, whether the ledger has read them or not', () => {
    const held = new Map([['us-east-1', [{ partition: 0, before: 12, from: 5, controlFrom: 1 }]]]);
    const { balance, faults } = addUp([row({ control: 2 })], held);
    expect(faults).toEqual([]);
    expect(balance).toMatchObject({ accepted: 14, counted: 7, pending: 4 });
  });

  test('what was taken out is taken from what counts', () => {
    const rows = [row({ void: 2 }), row({ partition: 1, void: 2 })];
    const { balance } = addUp(rows, holds(10, 0, 1));
    expect(balance).toMatchObject({ counted: 12, void: 2 });
  });

  test('a log that is not read any more counts as far as it was judged', () => {
    const rows = [row(), row({ region: 'us-west-2', is_live: false })];
    const { balance, faults } = addUp(rows, holds(10, 0));
    expect(faults).toEqual([]);
    expect(balance).toMatchObject({ accepted: 20, counted: 14, pending: 0 });
  });

  test('a region without verdicts needs no log', () => {
    const nothing = { counted: 0, duplicate: 0, replayed: 0, late: 0, quarantined: 0 };
    const rows = [row(), row({ region: 'us-west-2', ...nothing })];
    expect(addUp(rows, holds(10, 0)).faults).toEqual([]);
  });

  test('a log that no ledger has begun is pending as a whole', () => {
    const { balance, faults } = addUp([], holds(0, 4));
    expect([balance.accepted, balance.pending, faults]).toEqual([4, 4, []]);
  });
});

test('prints one line that adds up', () => {
  const { balance } = addUp([row()], holds(10, 3));
  expect(formatBalance(balance)).toBe(
    'accepted 13 = counted 7 + duplicate 1 + replayed 1 + late 0 + quarantined 1 + ' +
      'void 0 + pending 3',
  );
});

describe('the command line', () => {
  test('takes a session and --json', () => {
    const plain = { sessionId, json: false };
    expect(parseBalanceOptions(['--session', sessionId])).toEqual(plain);
    expect(parseBalanceOptions(['--json', '--session', sessionId])).toEqual({
      ...plain,
      json: true,
    });
  });

  test.each([
    [[], '--session is missing'],
    [['--session', 'x'], '--session must be a UUID, not "x"'],
    [['--sessions', 'x'], "Unknown option '--sessions'"],
    [['--session', sessionId, 'more'], "Unexpected argument 'more'"],
  ])('refuses %j with one sentence', (args, sentence) => {
    expect(() => parseBalanceOptions(args)).toThrow(sentence);
  });
});
