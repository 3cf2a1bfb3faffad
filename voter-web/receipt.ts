import { bytesOf, readPart, TOKEN_CHARS_MAX, textOf } from './token.ts';

/** What a receipt says; its choice is only committed to, never shown. */
export type ReceiptClaims = {
  vote_id: string;
  session_id: string;
  commitment: string;
  /** RFC 3339 UTC. */
  accepted_at: string;
  region: string;
  partition: number;
  offset: number;
  /** `single`, `region` or `two-regions`: where copies lay when it was given. */
  durability: string;
};

/**
 * `unreadable`: not a receipt. `unknown-key`: signed by a key that is not among ours, so nothing
 * can be said of it. `forged`: not what was signed. `unsupported`: this browser cannot check.
 */
export type ReceiptVerdict =
  | { kind: 'good'; receipt: ReceiptClaims; kid: string }
  | { kind: 'unreadable' | 'unknown-key' | 'forged' | 'unsupported' };

/** Public keys of receipts: kid → `x` of the JWK. */
export type ReceiptKeys = ReadonlyMap<string, string>;

/** The part of WebCrypto that is used; absent on a page that did not come over TLS. */
export type Subtle = Pick<typeof crypto.subtle, 'importKey' | 'verify'> | undefined;

const ALGORITHM = 'Ed25519';

/**
 * Checks a receipt with nothing but public keys and this browser: nobody is asked.
 *
 * @param text the receipt, as the file holds it; space around it does not matter
 */
export async function verifyReceipt(
  text: string,
  keys: ReceiptKeys,
  subtle: Subtle,
): Promise<ReceiptVerdict> {
  const token = text.trim();
  const [header, payload, signature, more] = token.split('.');
  const { alg, typ, kid } = readPart(header) ?? {};
  const receipt = readReceipt(payload);
  const isOurs = alg === 'EdDSA' && typ === 'receipt+jws' && typeof kid === 'string';
  if (!isOurs || more !== undefined || receipt === null || signature === undefined)
    return { kind: 'unreadable' };
  if (subtle === undefined) return { kind: 'unsupported' };
  const x = keys.get(kid);
  if (x === undefined) return { kind: 'unknown-key' };
  // One receipt, one text: base64url may be written with other spare bits, or with padding.
  const bytes = bytesOf(signature);
  if (bytes === null || textOf(bytes) !== signature) return { kind: 'forged' };
  const signed = new TextEncoder().encode(`${header}.${payload}`);
  try {
    const jwk = { kty: 'OKP', crv: ALGORITHM, x };
    const key = await subtle.importKey('jwk', jwk, ALGORITHM, false, ['verify']);
    const isGood = await subtle.verify(ALGORITHM, key, bytes, signed);
    return isGood ? { kind: 'good', receipt, kid } : { kind: 'forged' };
  } catch (error) {
    // A browser without Ed25519 rejects the import with this name.
    const unsupported = error instanceof DOMException && error.name === 'NotSupportedError';
    return { kind: unsupported ? 'unsupported' : 'unknown-key' };
  }
}

/** The Ed25519 keys of a JWKS; null for anything that is not one. */
export function readJwks(body: unknown): ReceiptKeys | null {
  const { keys } = (body ?? {}) as { keys?: unknown };
  if (!Array.isArray(keys)) return null;
  const found = new Map<string, string>();
  for (const key of keys as unknown[]) {
    const { kid, crv, x } = (key ?? {}) as Record<string, unknown>;
    if (crv === ALGORITHM && typeof kid === 'string' && typeof x === 'string') found.set(kid, x);
  }
  return found;
}

function readReceipt(payload: string | undefined): ReceiptClaims | null {
  if (payload !== undefined && payload.length > TOKEN_CHARS_MAX) return null;
  const claims = readPart(payload) as Partial<ReceiptClaims> | null;
  if (claims === null) return null;
  const { vote_id, session_id, commitment, accepted_at, region, durability } = claims;
  const texts = [vote_id, session_id, commitment, accepted_at, region, durability];
  const numbers = [claims.partition, claims.offset];
  const isWhole = texts.every((one) => typeof one === 'string') && numbers.every(Number.isInteger);
  return isWhole ? (claims as ReceiptClaims) : null;
}
