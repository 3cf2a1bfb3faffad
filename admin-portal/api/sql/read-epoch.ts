import type { Db } from '#common/copies.ts';

/** Raised by each act that moves the writer's address or takes a region out. */
export async function readEpoch(db: Db): Promise<number> {
  const { rows } = await db.query<{ epoch: number }>('SELECT epoch FROM votes.epoch');
  return rows[0]!.epoch;
}
