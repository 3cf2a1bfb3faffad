import type { Pool } from '#common/postgres.ts';
import { queryAtLength } from './at-length.ts';

/** See `LedgerStore.settle`. */
export async function settleSessions(pool: Pool): Promise<string[]> {
  const rows = await queryAtLength<{ session_id: string }>(
    pool,
    'SELECT session_id FROM votes.settle() AS session_id',
  );
  return rows.map(({ session_id }) => session_id);
}
