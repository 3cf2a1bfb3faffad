import { MINUTE_MS, SECOND_MS, sleep } from '#common/clock.ts';
import type { Records } from '../records.ts';
import { listBalancedSessions } from '../sql/list-balanced-sessions.ts';
import { type BalanceRow, readBalance } from '../sql/read-balance.ts';
import { compareBalance } from './balance.ts';

const measureMs = SECOND_MS;
const lingerMs = MINUTE_MS;
/** A label value a session: a bound for Prometheus, and for the statement. */
const sessionsMax = 50;

type Measured = Pick<Records, 'pool' | 'metrics' | 'log' | 'clock'>;

/** Keeps the balance of open sessions in the metrics, once a second, until the signal aborts. */
export async function measureBalances(records: Measured, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      await measureOnce(records);
    } catch (error) {
      // Said by those who answer requests; here the gauges only grow old.
      records.log.debug({ err: error }, 'the balance cannot be measured now');
    }
    await sleep(measureMs, signal);
  }
}

/** Reads and sets every gauge once. Exported for tests. */
export async function measureOnce({ pool, metrics, clock }: Measured): Promise<void> {
  const sessions = await listBalancedSessions(pool, { nowMs: clock.now(), lingerMs, sessionsMax });
  const rows = sessions.length === 0 ? [] : await readBalance(pool, sessions);
  metrics.sessionRecords.reset();
  metrics.balanceOff.reset();
  const bySession = new Map<string, BalanceRow[]>();
  for (const row of rows) {
    const held = bySession.get(row.session_id);
    if (held === undefined) bySession.set(row.session_id, [row]);
    else held.push(row);
  }
  for (const [session_id, own] of bySession) {
    const { balance, isComparable, off } = compareBalance(own);
    metrics.balanceOff.set({ session_id }, off);
    for (const [verdict, count] of Object.entries(balance)) {
      // Behind the ledger, accepted and pending would be too small.
      const isMeant = isComparable || (verdict !== 'accepted' && verdict !== 'pending');
      if (isMeant) metrics.sessionRecords.set({ session_id, verdict }, count);
    }
  }
}
