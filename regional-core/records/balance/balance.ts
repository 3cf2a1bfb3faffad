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
  readonly void: number;
  /** In the log, and not read by the ledger at the moment compared. */
  readonly pending: number;
}

export const verdicts = ['counted', 'duplicate', 'replayed', 'late', 'quarantined'] as const;

export interface Comparison {
  readonly balance: Balance;
  /** False while the ledger has read further than the log counter somewhere: compare again soon. */
  readonly isComparable: boolean;
  /**
   * Records by which log and verdicts differ where that must not be: partitions that both have read
   * to the same offset, and verdicts about more records than there are.
   */
  readonly off: number;
}

/** Compares what the log holds with what the ledger said. The rows are one session's. */
export function compareBalance(rows: readonly BalanceRow[]): Comparison {
  const sums = { accepted: 0, counted: 0, duplicate: 0, replayed: 0, late: 0, quarantined: 0 };
  let isComparable = true;
  let off = 0;
  for (const row of rows) {
    let judged = 0;
    sums.accepted += row.accepted;
    for (const verdict of verdicts) {
      sums[verdict] += row[verdict];
      judged += row[verdict];
    }
    if (row.log_next < row.ledger_next) isComparable = false;
    else if (row.log_next === row.ledger_next) off += Math.abs(row.accepted - judged);
    else off += Math.max(0, judged - row.accepted);
  }
  const judged = verdicts.reduce((sum, verdict) => sum + sums[verdict], 0);
  return {
    balance: { ...sums, void: 0, pending: sums.accepted - judged },
    isComparable,
    off,
  };
}
