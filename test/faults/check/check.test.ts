import { describe, expect, test } from 'vitest';
import type { Receipt } from '#common/contracts/receipt.ts';
import type { TotalsMessage } from '#common/contracts/vote-aggregated.ts';
import type { Attempt } from '../crowd/history.ts';
import { check, lostVotes } from './check.ts';
import type { Evidence, VoteInLog } from './evidence.ts';
import { figuresOf } from './figures.ts';

const closesAtMs = 1_000_000;

function record(voteId: string, optionNo: number, offset: number, acceptedAtMs = 1000): VoteInLog {
  return { log: 'east', partition: 0, offset, voteId, optionNo, acceptedAtMs };
}

function receiptOf({ voteId, partition, offset }: VoteInLog): Receipt {
  return {
    vote_id: voteId,
    session_id: 's',
    commitment: '',
    accepted_at: '',
    region: 'east',
    partition,
    offset,
    durability: 'region',
  };
}

function ok(of: VoteInLog, changes: Partial<Attempt> = {}): Attempt {
  const name = `receipt of ${of.voteId} at ${of.offset}`;
  return {
    voteId: of.voteId,
    optionNo: of.optionNo,
    region: of.log,
    sentMs: 0,
    endMs: 10,
    outcome: 'ok',
    code: undefined,
    status: 201,
    answer: { vote_id: of.voteId, confirmation_code: 'CODE', timestamp: '', receipt: name },
    ...changes,
  };
}

function totals(total: number, offset: number, sequence = offset): TotalsMessage {
  return {
    v: 1,
    session_id: 's',
    epoch: 1,
    sequence,
    total_votes: total,
    counts: [total],
    covers: { east: [offset] },
    at_ms: 0,
  };
}

/** Three voters: one plainly counted, one counted and replayed, one counted with a second choice. */
function sound(): Evidence {
  const records = [
    record('a', 0, 0),
    record('b', 1, 1),
    record('b', 1, 2, 2000),
    record('c', 2, 3),
    record('c', 3, 4, 3000),
  ];
  const [a, b, bAgain, c, cOther] = records as [
    VoteInLog,
    VoteInLog,
    VoteInLog,
    VoteInLog,
    VoteInLog,
  ];
  return {
    optionIds: ['mango', 'apple', 'zebra', 'kiwi'],
    closesAtMs,
    sealedAtMs: undefined,
    attempts: [ok(a), ok(b), ok(bAgain), ok(c), ok(cOther)],
    receipts: new Map(records.map((one) => [ok(one).answer!.receipt, receiptOf(one)])),
    records,
    rows: [a, b, c],
    conflicts: [cOther],
    late: [],
    quarantined: [],
    voids: new Set(),
    tallies: new Map([
      [0, 1],
      [1, 1],
      [2, 1],
    ]),
    verdicts: { counted: 3, duplicate: 1, replayed: 1, late: 0, quarantined: 0, control: 0 },
    books: [{ log: 'east', partition: 0, logStart: 0, logEnd: 5, nextOffset: 5, judged: 5 }],
    published: new Map([['east', [totals(0, 0), totals(2, 3), totals(3, 5)]]]),
    unreadLogs: new Set(),
  };
}

function broken(evidence: Evidence): string[] {
  return check(evidence)
    .filter(({ ok: holds }) => !holds)
    .map(({ name }) => name);
}

test('sound evidence has no finding', () => {
  expect(broken(sound())).toEqual([]);
});

describe('what the checker must see', () => {
  const cases: [string, (evidence: Evidence) => Partial<Evidence>, string][] = [
    [
      'a 201 whose record is gone',
      (e) => ({ records: e.records.slice(1) }),
      'every 201 is recorded',
    ],
    [
      'a 201 whose place holds another vote',
      (e) => ({ records: [record('z', 0, 0), ...e.records.slice(1)] }),
      'every 201 is recorded',
    ],
    ['a voter with a 201 and no row', (e) => ({ rows: e.rows.slice(1) }), 'no 201 is lost'],
    [
      'a row in a place where its record is not',
      (e) => ({ rows: [{ ...e.rows[0]!, offset: 77 }, ...e.rows.slice(1)] }),
      'every row is a record of the log',
    ],
    [
      'a voter with two rows',
      (e) => ({ rows: [...e.rows, e.rows[0]!] }),
      'nobody is counted twice',
    ],
    ['a tally that is off', () => ({ tallies: new Map([[0, 3]]) }), 'tallies are the rows'],
    [
      'a verdict that is off',
      (e) => ({ verdicts: { ...e.verdicts, counted: 4 } }),
      'verdicts are the rows',
    ],
    [
      'a lost second choice that is not listed',
      () => ({ conflicts: [] }),
      'every 201 has one state',
    ],
    [
      'a record with two states',
      (e) => ({ late: [e.rows[0]!], quarantined: [e.rows[0]!] }),
      'every 201 has one state',
    ],
    ['a 201 behind the seal', (e) => ({ late: [e.rows[0]!] }), 'no 201 is late'],
    [
      'a 201 that was put aside, of a voter with a row',
      (e) => ({ quarantined: [e.records[4]!] }),
      'no 201 is quarantined',
    ],
    [
      'a row of somebody who was only refused',
      (e) => ({ attempts: [ok(e.records[0]!, { outcome: 'fail', answer: undefined })] }),
      'nothing counts that was refused or never sent',
    ],
    [
      'a row that came after closing',
      (e) => ({ rows: e.rows.map((row) => ({ ...row, acceptedAtMs: closesAtMs + 1 })) }),
      'nothing counts that came after closing',
    ],
    [
      'a record nobody counted',
      (e) => ({ records: [...e.records, record('d', 0, 5)] }),
      'a recount of the log finds no other voter',
    ],
    [
      'a seal that chose otherwise',
      (e) => ({ sealedAtMs: 1, rows: [...e.rows.slice(0, 2), record('c', 3, 4, 3000)] }),
      'the seal chose as the rule does',
    ],
    [
      'an offset without a verdict',
      (e) => ({ books: [{ ...e.books[0]!, judged: 4 }] }),
      'every offset has one verdict',
    ],
    [
      'a log that is not read to its end',
      (e) => ({ books: [{ ...e.books[0]!, logEnd: 9 }] }),
      'nothing is left to read',
    ],
    [
      'a total that falls',
      () => ({ published: new Map([['east', [totals(3, 5), totals(2, 6)]]]) }),
      'what was published never fell',
    ],
    [
      'covers that fall',
      () => ({ published: new Map([['east', [totals(3, 5), totals(3, 4, 9)]]]) }),
      'what was published never fell',
    ],
    ['a receipt that does not verify', () => ({ receipts: new Map() }), 'every receipt verifies'],
    [
      'another code at the second try',
      (e) => {
        const [, one, two] = e.attempts;
        const other = { ...two!.answer!, confirmation_code: 'OTHER' };
        return { attempts: [one!, { ...two!, answer: other }] };
      },
      'a retry gives the same id and code',
    ],
    [
      '"already voted" for somebody without a record',
      (e) => ({
        attempts: [
          ...e.attempts,
          ok(record('x', 0, 9), { outcome: 'fail', code: 'duplicate_vote' }),
        ],
      }),
      'nobody without a record is told to have voted',
    ],
    [
      'one place for two votes',
      (e) => {
        const other = ok(record('d', 0, 0));
        return {
          attempts: [...e.attempts, other],
          receipts: new Map([
            ...e.receipts,
            [other.answer!.receipt, { ...receiptOf(record('d', 0, 0)) }],
          ]),
        };
      },
      'no two votes were given one place',
    ],
  ];
  test.each(cases)('%s', (_, change, name) => {
    const evidence = sound();
    expect(broken({ ...evidence, ...change(evidence) })).toContain(name);
  });
});

describe('a total may fall by what is listed, and by no more', () => {
  const fallen = { ...totals(2, 5, 6), corrections: 1 };
  const cases: [string, TotalsMessage, boolean][] = [
    ['listed', { ...fallen, corrected: [{ kind: 'replay', at_ms: 1, moved: 1 }] }, true],
    ['not listed', fallen, false],
    ['listed with fewer', { ...fallen, corrected: [{ kind: 'seal', at_ms: 1, moved: 0 }] }, false],
  ];
  test.each(cases)('%s', (_, next, isAllowed) => {
    const published = new Map([['east', [totals(3, 5), next]]]);
    const names = broken({ ...sound(), published });
    expect(names.includes('what was published never fell')).toBe(!isAllowed);
  });

  test('what was listed before explains nothing again', () => {
    const corrected = [{ kind: 'void', at_ms: 1, moved: 1 }] as const;
    const list = [totals(3, 5), { ...fallen, corrected }, { ...totals(1, 5, 7), corrected }];
    const published = new Map([['east', list]]);
    expect(broken({ ...sound(), published })).toContain('what was published never fell');
  });

  test('an option that fell while the total stayed is seen', () => {
    const two = (counts: number[], sequence: number): TotalsMessage => ({
      ...totals(3, 5, sequence),
      counts,
    });
    const published = new Map([['east', [two([2, 1], 5), two([1, 2], 6)]]]);
    expect(broken({ ...sound(), published })).toContain('what was published never fell');
  });
});

test('covers of a log that was given up may fall in a newer epoch, and in no other', () => {
  const unreadLogs = new Set(['east']);
  const told = (epoch: number): Evidence => {
    const next = { ...totals(3, 4, 9), epoch };
    return { ...sound(), unreadLogs, published: new Map([['west', [totals(3, 5), next]]]) };
  };
  expect(broken(told(2))).not.toContain('what was published never fell');
  expect(broken(told(1))).toContain('what was published never fell');
});

test('a ledger that puts every record aside has lost every vote, though its books balance', () => {
  const nothing = { counted: 0, duplicate: 0, replayed: 0, late: 0, quarantined: 5, control: 0 };
  const whole = sound();
  const evidence: Evidence = {
    ...whole,
    rows: [],
    conflicts: [],
    quarantined: whole.records,
    tallies: new Map(),
    verdicts: nothing,
    published: new Map(),
  };
  expect(broken(evidence)).toEqual(['no 201 is quarantined', 'no 201 is lost']);
  expect(lostVotes(evidence)).toEqual(new Set(['a', 'b', 'c']));
});

test('of two choices of one moment the seal takes the first id, not the first number', () => {
  const [mango, apple] = [record('a', 0, 0), record('a', 1, 1)];
  const [zebra, kiwi] = [record('b', 2, 2), record('b', 3, 3)];
  const name = 'the seal chose as the rule does';
  const evidence = { ...sound(), sealedAtMs: 1, records: [mango, apple, zebra, kiwi] };
  expect(broken({ ...evidence, rows: [apple, kiwi] })).not.toContain(name);
  expect(broken({ ...evidence, rows: [mango, kiwi] })).toContain(name);
  expect(broken({ ...evidence, rows: [apple, zebra] })).toContain(name);
});

test('a vote whose every 201 is late is not lost, but no 201 may be late', () => {
  const whole = sound();
  const [a] = whole.records;
  expect(lostVotes({ ...whole, rows: whole.rows.slice(1), late: [a!] })).toEqual(new Set());
});

test('votes lost with a region that was destroyed are allowed, others are not', () => {
  const evidence = { ...sound(), records: [], rows: [], conflicts: [], tallies: new Map() };
  const lost = lostVotes(evidence);
  expect(lost).toEqual(new Set(['a', 'b', 'c']));
  const names = check(evidence, { lost: new Set(['a', 'b']) }).filter((one) => !one.ok);
  expect(names.find(({ name }) => name === 'no 201 is lost')?.text).toContain('1 not: c');
});

test('the longest pause is measured to the ends of the load', () => {
  const evidence = { ...sound(), attempts: [ok(record('a', 0, 0), { endMs: 4000 })] };
  expect(figuresOf(evidence, [{ fromMs: 0, toMs: 10_000 }]).pauseS).toBe(6);
  expect(figuresOf(evidence, [{ fromMs: 0, toMs: 5000 }]).pauseS).toBe(4);
});
