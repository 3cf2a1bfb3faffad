import type { Db } from '#common/copies.ts';

/** Why an act cannot be carried out now, as a sentence; null when it can. */
export async function actRefusal(db: Db, body: string): Promise<string | null> {
  const { rows } = await db.query<{ refusal: string | null }>(
    'SELECT votes.act_refusal($1::jsonb) AS refusal',
    [body],
  );
  return rows[0]!.refusal;
}
