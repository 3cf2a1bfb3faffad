import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

/**
 * A session's secret as Postgres holds it, AES-256-GCM with the session id as associated data, so
 * that a row copied to another session does not open:
 *
 *   version (1 byte, 1) | nonce (12) | ciphertext (as long as the secret) | tag (16)
 */
const version = 1;
const nonceBytes = 12;
const tagBytes = 16;

/**
 * Other bytes at each call, since the nonce is random. Of the wrapping key the first 32 bytes are
 * used; throws for one that has fewer.
 */
export function wrapSecret(wrappingKey: Buffer, sessionId: string, secret: Buffer): Buffer {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv('aes-256-gcm', keyBytes(wrappingKey), nonce);
  cipher.setAAD(Buffer.from(sessionId));
  const sealed = Buffer.concat([cipher.update(secret), cipher.final()]);
  return Buffer.concat([Uint8Array.of(version), nonce, sealed, cipher.getAuthTag()]);
}

/** Throws when the key is another one, or the bytes were changed or moved to another session. */
export function unwrapSecret(wrappingKey: Buffer, sessionId: string, wrapped: Buffer): Buffer {
  if (wrapped[0] !== version || wrapped.length <= 1 + nonceBytes + tagBytes) {
    throw new Error('a session secret is not in a form this version reads');
  }
  const nonce = wrapped.subarray(1, 1 + nonceBytes);
  const sealed = wrapped.subarray(1 + nonceBytes, -tagBytes);
  const decipher = createDecipheriv('aes-256-gcm', keyBytes(wrappingKey), nonce);
  decipher.setAAD(Buffer.from(sessionId));
  decipher.setAuthTag(wrapped.subarray(-tagBytes));
  return Buffer.concat([decipher.update(sealed), decipher.final()]);
}

/** Keys in files may be longer than the 32 bytes that AES-256 takes. */
function keyBytes(wrappingKey: Buffer): Buffer {
  return wrappingKey.subarray(0, 32);
}
