import type { Router } from '@koa/router';
import { toTimestamp } from '#common/clock.ts';
import { authenticate, type Portal } from '../portal.ts';
import { readEpoch } from '../sql/read-epoch.ts';
import { type LogRow, readLogs } from '../sql/read-logs.ts';
import type { RegionsAnswer } from './contract.ts';

/** GET /regions: what would be lost, and what was. */
export function addRegions(router: Router, portal: Portal): void {
  router.get('/regions', async (context) => {
    await authenticate(portal, context);
    const epoch = await readEpoch(portal.pool);
    const logs = await readLogs(portal.pool, 0);
    context.body = { epoch, logs: logs.map(present) } satisfies RegionsAnswer;
  });
}

/** Records of a log that the ledger has not read. */
export function outstandingOf({ partitions }: Pick<LogRow, 'partitions'>): number {
  return partitions.reduce((sum, { next_offset, log_end }) => sum + log_end - next_offset, 0);
}

function present(row: LogRow): RegionsAnswer['logs'][number] {
  return {
    log: row.log,
    stands_for: row.stands_for,
    live: row.live,
    lost_at: row.lost_at === null ? null : toTimestamp(row.lost_at.getTime()),
    lost_by: row.lost_by?.toString('hex') ?? null,
    next_offsets: row.partitions.map(({ next_offset }) => next_offset),
    outstanding: outstandingOf(row),
  };
}
