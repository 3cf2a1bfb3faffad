import type { Pool } from '#common/postgres.ts';

/** Rows a table loses at most in one call: a statement stays short whatever has piled up. */
const rowsMax = 10_000;

/** Each table, its key, and the last moment at which an expired row may still matter. */
const tables = [
  ['registrations', 'token_hash', 0],
  ['revocations', 'jti', 60_000],
  ['refresh_tokens', 'token_hash', 60_000],
  ['logins', 'session_id', 60_000],
] as const;

/** Removes what has expired: nobody's address or login is kept longer than it is needed. */
export async function deleteExpired(pool: Pool, nowMs: number): Promise<void> {
  for (const [table, key, marginMs] of tables) {
    await pool.query(
      `DELETE FROM identity.${table} WHERE ${key} IN (
         SELECT ${key} FROM identity.${table} WHERE expires_at < $1 LIMIT ${rowsMax}
       )`,
      [new Date(nowMs - marginMs)],
    );
  }
}
