import type { Pool } from '#common/postgres.ts';

export interface Registration {
  readonly tokenHash: Buffer;
  readonly email: string;
  readonly passwordHash: string;
  readonly expiresAtMs: number;
}

/** Keeps a registration until its link is followed or it expires. */
export async function insertRegistration(pool: Pool, registration: Registration): Promise<void> {
  const { tokenHash, email, passwordHash, expiresAtMs } = registration;
  await pool.query(
    `INSERT INTO identity.registrations (token_hash, email, password_hash, expires_at)
     VALUES ($1, $2, $3, $4)`,
    [tokenHash, email, passwordHash, new Date(expiresAtMs)],
  );
}
