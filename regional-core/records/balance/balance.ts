import type { BalanceRow } from '../sql/read-balance.ts';

/**
 * The balance of a session: accepted = counted + duplicate + replayed + late + quarantined + void +
 * pending. It counts records, not voters.
 */
export interface Balance {
  readonly accepted: number;
  readonly counted: number;
  readonly duplicate: number;
  readonly replayed: number;
  readonly late: number;
  readonly quarantined: number;
  /** Counted, and then taken out by two people. */
  readonly void: number;
  /** In the log, and not read by the ledger at the moment compared. */
  readonly pending: number;
}

const verdicts = ['counted', 'duplicate', 'replayed', 'late', 'quarantined'] as const;

/** One session at one moment, over all logs. */
export interface Comparison {
  readonly balance: Balance;
  /** Seals and final statements among the records that the ledger has read: they are no votes. */
  readonly control: number;
  /**
   * Records that were seen in the log of a lost region and were not read by the ledger: they count
   * nowhere, unless a copy of them does.
   */
  readonly unread: number;
  /** False while the ledger has read further than the log counter somewhere: compare again soon. */
  readonly isComparable: boolean;
  /**
   * Records by which log and verdicts differ where that must not be: partitions that both have read
   * to the same offset, now or when they were last compared, and verdicts about more records than
   * there are.
   */
  readonly off: number;
}

/** How the ledger judged the records of a partition, and how many of them there are. */
export function judgedIn(row: Pick<BalanceRow, (typeof verdicts)[number]>): number {
  return verdicts.reduce((sum, verdict) => sum + row[verdict], 0);
}

/** Compares what the log holds with what the ledger said. The rows are one session's. */
export function compareBalance(rows: readonly BalanceRow[]): Comparison {
  let accepted = 0;
  let control = 0;
  let unread = 0;
  let isComparable = true;
  let off = 0;
  for (const row of rows) {
    control += row.control;
    const compared = row.is_live ? compareLive(row) : compareFrozen(row);
    accepted += compared.accepted;
    unread += compared.unread;
    isComparable &&= compared.isComparable;
    off += Math.max(compared.off, Math.abs(row.checked_off));
  }
  return { balance: balanceOf(rows, accepted), control, unread, isComparable, off };
}

/**
 * The balance of a session: how the ledger judged its records, and what is pending of those that
 * the log holds. @param accepted votes in the log, however they were counted
 */
export function balanceOf(rows: readonly BalanceRow[], accepted: number): Balance {
  const sums = { counted: 0, duplicate: 0, replayed: 0, late: 0, quarantined: 0 };
  for (const row of rows) {
    for (const verdict of verdicts) sums[verdict] += row[verdict];
  }
  const taken = rows[0]?.void ?? 0;
  const pending = accepted - judgedIn(sums);
  return { accepted, ...sums, counted: sums.counted - taken, void: taken, pending };
}

interface Compared {
  /** Votes among the records. */
  readonly accepted: number;
  readonly unread: number;
  readonly isComparable: boolean;
  readonly off: number;
}

/** Records are compared whole: whether one is a valid seal or a forged one, the ledger decides. */
function compareLive(row: BalanceRow): Compared {
  const inLog = row.accepted + row.log_control;
  const judged = judgedIn(row) + row.control;
  if (row.log_next < row.ledger_next) {
    return { accepted: row.accepted, unread: 0, isComparable: false, off: 0 };
  }
  if (row.log_next === row.ledger_next) {
    const accepted = inLog - row.control;
    return { accepted, unread: 0, isComparable: true, off: Math.abs(inLog - judged) };
  }
  // Seals behind the ledger are taken for valid until it has read them.
  const accepted = inLog - Math.max(row.control, row.log_control);
  return { accepted, unread: 0, isComparable: true, off: Math.max(0, judged - inLog) };
}

/** Of a log that is never read again only what the ledger read is part of the session. */
function compareFrozen(row: BalanceRow): Compared {
  const inLog = row.accepted + row.log_control;
  const judged = judgedIn(row);
  const read = judged + row.control;
  return {
    accepted: judged,
    unread: row.log_next > row.ledger_next ? Math.max(0, inLog - read) : 0,
    isComparable: true,
    off: row.log_next === row.ledger_next ? Math.abs(inLog - read) : 0,
  };
}
