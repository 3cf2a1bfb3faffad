import type { Db } from '#common/copies.ts';

/**
 * Writes a proposed act; one that stands already stays as it is. Rejects with SQLSTATE VT409 and a
 * sentence when it cannot be carried out now.
 */
export async function proposeAct(db: Db, body: string, proposedBy: string): Promise<void> {
  await db.query('SELECT votes.propose_act($1, $2)', [body, proposedBy]);
}
