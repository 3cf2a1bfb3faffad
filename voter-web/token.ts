/** A ballot or receipt is a few hundred bytes; more than this is not ours. */
export const TOKEN_CHARS_MAX = 8192;

/**
 * Reads the payload of a compact JWS without checking its signature. The page only tells its owner
 * what the token says; whoever relies on it checks the signature elsewhere.
 *
 * @returns the claims, or null when it is no such token
 */
export function readClaims(token: string): Record<string, unknown> | null {
  if (token.length > TOKEN_CHARS_MAX) return null;
  return readPart(token.split('.')[1]);
}

/** The JSON object in a part of a JWS; null when there is none. */
export function readPart(part: string | undefined): Record<string, unknown> | null {
  const bytes = part === undefined ? null : bytesOf(part);
  if (bytes === null) return null;
  try {
    const claims: unknown = JSON.parse(new TextDecoder().decode(bytes));
    const isObject = typeof claims === 'object' && claims !== null && !Array.isArray(claims);
    return isObject ? (claims as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

/** The base64url text of bytes, without padding. */
export function textOf(bytes: Uint8Array): string {
  const text = btoa(String.fromCharCode(...bytes));
  return text.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

/** The bytes of base64url text; null for anything else. */
export function bytesOf(text: string): Uint8Array<ArrayBuffer> | null {
  try {
    const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
    return Uint8Array.from(binary, (char) => char.charCodeAt(0));
  } catch {
    return null;
  }
}
