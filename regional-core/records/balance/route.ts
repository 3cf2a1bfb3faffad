import type { Router } from '@koa/router';
import { SECOND_MS, sleep, toTimestamp } from '#common/clock.ts';
import { jitteredRetryS, ServiceError } from '#common/errors.ts';
import { isUuid } from '#common/uuid.ts';
import type { Records } from '../records.ts';
import { findSession } from '../sql/find-session.ts';
import { type BalanceRow, readBalance } from '../sql/read-balance.ts';
import { readBalanceMinutes } from '../sql/read-balance-minutes.ts';
import { compareBalance } from './balance.ts';
import type { BalanceAnswer } from './contract.ts';

/** Twice the time between two checkpoints of the log counter. */
const waitMsMax = 2 * SECOND_MS;
const askAgainMs = 100;
const minutesMax = 60;

/**
 * GET /internal/v1/sessions/{session_id}/balance. The ledger may be ahead of the log counter: then
 * it waits for it, and answers `not_ready` when that takes too long.
 */
export function addBalance(router: Router, records: Records): void {
  router.get('/internal/v1/sessions/:session_id/balance', async (context) => {
    context.set('cache-control', 'no-store');
    const sessionId = context.params['session_id'] ?? '';
    if (!isUuid(sessionId) || (await findSession(records.pool, sessionId)) === undefined) {
      throw new ServiceError('not_found');
    }
    context.body = await comparedBalance(records, sessionId);
  });
}

async function comparedBalance(records: Records, sessionId: string): Promise<BalanceAnswer> {
  const deadlineMs = records.clock.monotonicMs() + waitMsMax;
  for (;;) {
    const rows = await readBalance(records.pool, [sessionId]);
    const { balance, control, unread, isComparable, off } = compareBalance(rows);
    if (isComparable) {
      const as_of = { log: offsetsOf(rows, 'log_next'), ledger: offsetsOf(rows, 'ledger_next') };
      const minutes = await readBalanceMinutes(records.pool, sessionId, minutesMax);
      return {
        session_id: sessionId,
        ...balance,
        control,
        unread,
        off,
        as_of,
        minutes: minutes.map((one) => ({ ...one, minute: toTimestamp(one.minute.getTime()) })),
      };
    }
    if (records.clock.monotonicMs() > deadlineMs) {
      throw new ServiceError('not_ready', {
        message: 'The log is still being counted; try again.',
        retryAfterS: jitteredRetryS(1, records.random),
      });
    }
    await sleep(askAgainMs);
  }
}

function offsetsOf(rows: readonly BalanceRow[], column: 'log_next' | 'ledger_next') {
  const offsets: Record<string, number[]> = {};
  for (const row of rows) (offsets[row.region] ??= [])[row.partition] = row[column];
  return offsets;
}
