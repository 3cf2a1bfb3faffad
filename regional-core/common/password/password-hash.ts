import { argon2, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';

/** OWASP's first choice for argon2id: 19 MiB, two passes, one lane. 37 ms on one core. */
const memoryKib = 19_456;
const passes = 2;
const parallelism = 1;
const saltBytes = 16;
const hashBytes = 32;

/** What a stored hash may ask for at most: a row must not be able to stop the process. */
const memoryKibMax = 65_536;
const passesMax = 10;

const derive = promisify(argon2);

const stored = /^\$argon2id\$v=19\$m=(\d{1,6}),t=(\d{1,2}),p=1\$([\w+/]{22})\$([\w+/]{43})$/;

/** `$argon2id$v=19$m=19456,t=2,p=1$salt$hash`, base64 without padding. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(saltBytes);
  const hash = await deriveHash(password, salt, memoryKib, passes);
  return `$argon2id$v=19$m=${memoryKib},t=${passes},p=${parallelism}$${plain(salt)}$${plain(hash)}`;
}

/** Throws for a text that is no such hash: a password must not be right because a row is broken. */
export async function isPasswordOf(hash: string, password: string): Promise<boolean> {
  const [, memory, times, salt, expected] = stored.exec(hash) ?? [];
  if (salt === undefined || expected === undefined) throw new Error('not an argon2id hash');
  if (Number(memory) > memoryKibMax || Number(times) > passesMax) {
    throw new Error('a stored password hash asks for more memory or time than is allowed');
  }
  const saltBuffer = Buffer.from(salt, 'base64');
  const given = await deriveHash(password, saltBuffer, Number(memory), Number(times));
  return timingSafeEqual(given, Buffer.from(expected, 'base64'));
}

/** A hash of nobody's password: verifying against it takes as long as against an account's. */
export const nobodysHash =
  `$argon2id$v=19$m=${memoryKib},t=${passes},p=${parallelism}` +
  `$${plain(Buffer.alloc(saltBytes))}$${plain(Buffer.alloc(hashBytes))}`;

function deriveHash(
  password: string,
  nonce: Buffer,
  memory: number,
  times: number,
): Promise<Buffer> {
  // The same password typed on two systems may differ in how its accents are composed.
  const message = Buffer.from(password.normalize('NFKC'));
  const parameters = { message, nonce, parallelism, tagLength: hashBytes, memory, passes: times };
  return derive('argon2id', parameters);
}

function plain(bytes: Buffer): string {
  return bytes.toString('base64').replaceAll('=', '');
}
