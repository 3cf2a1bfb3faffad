import { z } from 'zod';
import type { Pool } from '#common/postgres.ts';
import { emailField, passwordLengthMax } from './login/contract.ts';
import type { PasswordHasher } from './password.ts';
import { createFirstAdmin } from './sql/create-first-admin.ts';
import { hasAdmin } from './sql/has-admin.ts';

/** Whoever may log in first; makes the others. */
export interface FirstAdmin {
  readonly email: string;
  readonly password: string;
}

const firstAdminForm = z.strictObject({
  email: emailField,
  password: z.string().min(12).max(passwordLengthMax),
});

/** Reads the bootstrap file. Throws an Error that completes "the file …", without its content. */
export function parseFirstAdmin(content: string): FirstAdmin {
  let value: unknown;
  try {
    value = JSON.parse(content);
  } catch {
    throw new Error('does not hold JSON');
  }
  const parsed = firstAdminForm.safeParse(value);
  if (!parsed.success) {
    throw new Error('does not hold {"email", "password"} with a password of 12 characters or more');
  }
  return parsed.data;
}

/**
 * Makes the first admin when there is none; true when it was made here. Two processes that start
 * together make one: the statement looks and inserts at once.
 */
export async function ensureFirstAdmin(
  pool: Pool,
  passwords: PasswordHasher,
  { email, password }: FirstAdmin,
): Promise<boolean> {
  // Hashing costs 37 ms and 19 MiB: not at every start.
  if (await hasAdmin(pool)) return false;
  return createFirstAdmin(pool, { email, passwordHash: await passwords.hash(password) });
}
