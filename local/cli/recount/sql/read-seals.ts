import type { PoolClient } from 'pg';
import type { RecordPlace } from './read-quarantined.ts';

/** The seals that the ledger went by. */
export async function readSeals(
  client: PoolClient,
  sessionNo: number,
): Promise<readonly RecordPlace[]> {
  const { rows } = await client.query<RecordPlace>(
    'SELECT region_no, partition, "offset" FROM votes.seals WHERE session_no = $1',
    [sessionNo],
  );
  return rows;
}
