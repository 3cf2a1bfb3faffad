import {
  createHash,
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  type KeyObject,
} from 'node:crypto';

/**
 * Ed25519 (RFC 8032) is the one signature in the system: 64 bytes a signature, one key type, so a
 * verifier never chooses an algorithm by what a token says.
 */
export interface SigningKey {
  /** First 8 bytes of the RFC 7638 thumbprint, base64url: 11 characters. */
  readonly kid: string;
  readonly privateKey: KeyObject;
  readonly publicJwk: PublicJwk;
}

/**
 * RFC 8037 section 2; `x` is 32 bytes in base64url. The kid is always computed from it, also where
 * a message or a file brings one along.
 */
export interface PublicJwk {
  readonly kty: 'OKP';
  readonly crv: 'Ed25519';
  readonly x: string;
  readonly kid: string;
}

/** kid → key. Only these are ever used: no key is fetched because a token names it. */
export type PublicKeys = ReadonlyMap<string, KeyObject>;

/** The kid of a public key, given its `x` (base64url of 32 bytes). */
function keyId(x: string): string {
  // RFC 7638 section 3.2: the required members of an OKP key, in lexicographic order, no spaces.
  const canonical = `{"crv":"Ed25519","kty":"OKP","x":"${x}"}`;
  return createHash('sha256').update(canonical).digest().subarray(0, 8).toString('base64url');
}

/** Reads a private JWK. Throws an Error that completes "the file …" for anything else. */
export function parseSigningKey(content: string): SigningKey {
  const jwk = parseJson(content) as Record<string, unknown>;
  if (jwk['kty'] !== 'OKP' || jwk['crv'] !== 'Ed25519' || typeof jwk['d'] !== 'string') {
    throw new Error('does not hold a private Ed25519 JWK');
  }
  const privateKey = createPrivateKey({ key: jwk, format: 'jwk' });
  const x = createPublicKey(privateKey).export({ format: 'jwk' }).x!;
  const kid = keyId(x);
  return { kid, privateKey, publicJwk: { kty: 'OKP', crv: 'Ed25519', x, kid } };
}

/** Reads a JWKS of Ed25519 public keys. Throws an Error that completes "the file …". */
export function parsePublicJwks(content: string): PublicJwk[] {
  const { keys } = parseJson(content) as { keys?: unknown };
  if (!Array.isArray(keys)) throw new Error('does not hold a JWKS ({"keys": […]})');
  return keys.map(toPublicJwk);
}

/** Only what a public Ed25519 key has; the kid is computed, never believed. */
export function toPublicJwk(key: unknown): PublicJwk {
  const { kty, crv, x } = (key ?? {}) as Record<string, unknown>;
  if (kty !== 'OKP' || crv !== 'Ed25519' || typeof x !== 'string') {
    throw new Error('holds a key that is not a public Ed25519 JWK');
  }
  return { kty, crv, x, kid: keyId(x) };
}

/** Keys ready to verify with. */
export function importPublicKeys(jwks: readonly PublicJwk[]): PublicKeys {
  const entries = jwks.map((jwk): [string, KeyObject] => [
    jwk.kid,
    createPublicKey({ key: { ...jwk }, format: 'jwk' }),
  ]);
  return new Map(entries);
}

/** Reads a symmetric key: base64url of at least 32 bytes. */
export function parseSymmetricKey(content: string): Buffer {
  const bytes = Buffer.from(content, 'base64url');
  if (bytes.length < 32) throw new Error('does not hold a key of at least 32 bytes in base64url');
  return bytes;
}

/** The same, ready for HMACs: given bytes, `createHmac` makes a key each time (17 µs against 3). */
export function parseHmacKey(content: string): KeyObject {
  return createSecretKey(parseSymmetricKey(content));
}

function parseJson(content: string): unknown {
  try {
    return JSON.parse(content);
  } catch {
    throw new Error('does not hold JSON');
  }
}
