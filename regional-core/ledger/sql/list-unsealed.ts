import type { Pool } from '#common/postgres.ts';
import type { UnsealedSession } from '../ledger-store.ts';

/** See `LedgerStore.unsealed`. */
export async function listUnsealed(
  pool: Pool,
  regionNo: number,
  partitions: readonly number[],
  closedForMs: number,
): Promise<UnsealedSession[]> {
  const { rows } = await pool.query<{
    session_id: string;
    version: number;
    closes_at: Date;
    partitions: number[];
  }>({
    name: 'list_unsealed',
    text: 'SELECT * FROM votes.unsealed($1, $2, $3)',
    values: [regionNo, partitions, closedForMs],
  });
  return rows.map((row) => ({
    sessionId: row.session_id,
    version: row.version,
    closesAtMs: row.closes_at.getTime(),
    partitions: row.partitions,
  }));
}
