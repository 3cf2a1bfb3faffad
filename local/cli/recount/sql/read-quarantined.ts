import type { PoolClient } from 'pg';

/** Where a record lies. */
export interface RecordPlace {
  readonly region_no: number;
  readonly partition: number;
  readonly offset: number;
}

/** Where the session's quarantined records lie; at most `max` of them. */
export async function readQuarantined(
  client: PoolClient,
  sessionId: string,
  max: number,
): Promise<readonly RecordPlace[]> {
  const { rows } = await client.query<RecordPlace>(
    `SELECT region_no, partition, "offset" FROM votes.quarantined_records
     WHERE session_id = $1 LIMIT $2`,
    [sessionId, max],
  );
  return rows;
}
