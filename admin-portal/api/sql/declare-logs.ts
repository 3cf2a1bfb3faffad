import type { Db } from '#common/copies.ts';

/** Makes known which logs there are; known ones stay as they are. */
export async function declareLogs(db: Db, logs: readonly string[]): Promise<void> {
  await db.query('SELECT votes.declare_logs($1)', [logs]);
}
