import { createHash, randomBytes } from 'node:crypto';

/**
 * Refresh and verification tokens: 32 random bytes, base64url (43 characters). Only their SHA-256
 * is stored: with 256 random bits in it nothing slower is needed, and a copy of the table opens
 * nothing.
 */
export function newOpaqueToken(): string {
  return randomBytes(32).toString('base64url');
}

export const opaqueTokenPattern = /^[\w-]{43}$/;

/**
 * 32 bytes, the form in which a token is stored and looked up: of the text, not of what it decodes
 * to.
 */
export function opaqueTokenHash(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
