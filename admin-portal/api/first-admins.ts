import { z } from 'zod';
import { emailField, passwordLengthMax } from './login/contract.ts';
import type { Portal } from './portal.ts';
import { createFirstAdmin } from './sql/create-first-admin.ts';
import { listFirstAdmins } from './sql/list-first-admins.ts';

/** Somebody whose account no other admin made; two people who decide come from two of these. */
export interface FirstAdmin {
  readonly email: string;
  readonly password: string;
}

const firstAdminsMax = 5;

const firstAdminsForm = z
  .array(z.strictObject({ email: emailField, password: z.string().min(12).max(passwordLengthMax) }))
  .min(1)
  .max(firstAdminsMax)
  .refine((people) => new Set(people.map(({ email }) => email)).size === people.length);

/** Reads the bootstrap file. Throws an Error that completes "the file …", without its content. */
export function parseFirstAdmins(content: string): readonly FirstAdmin[] {
  let value: unknown;
  try {
    value = JSON.parse(content);
  } catch {
    throw new Error('does not hold JSON');
  }
  const parsed = firstAdminsForm.safeParse(value);
  if (!parsed.success) {
    throw new Error(
      'does not hold [{"email", "password"}, …]: one to five people with different addresses and ' +
        'passwords of 12 characters or more',
    );
  }
  return parsed.data;
}

/**
 * Makes those first admins that are missing and says in the log what keeps people from deciding
 * together. Two processes that start together make each once.
 */
export async function ensureFirstAdmins(
  { pool, passwords, log }: Pick<Portal, 'pool' | 'passwords' | 'log'>,
  people: readonly FirstAdmin[],
): Promise<void> {
  const emails = people.map(({ email }) => email);
  const before = await listFirstAdmins(pool, emails);
  const known = new Set(before.map(({ email }) => email));
  // Hashing costs 37 ms and 19 MiB: not at every start.
  for (const { email, password } of people.filter((person) => !known.has(person.email))) {
    await createFirstAdmin(pool, { email, passwordHash: await passwords.hash(password) });
  }
  if (emails.some((email) => !known.has(email))) log.info('made the missing first admins');
  const standing = await listFirstAdmins(pool, emails);
  for (const { admin_id, made_by } of standing.filter((row) => row.made_by !== null)) {
    log.warn(
      { admin_id, made_by },
      'the bootstrap file names an account made by another admin: it is no first admin',
    );
  }
  if (standing.filter(({ made_by }) => made_by === null).length < 2) {
    log.warn('there is one first admin alone: nothing can be agreed before there is another');
  }
}
