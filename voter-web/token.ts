/** A ballot or receipt is a few hundred bytes; more than this is not ours. */
const TOKEN_CHARS_MAX = 8192;

/**
 * Reads the payload of a compact JWS without checking its signature. The page only tells its owner
 * what the token says; whoever relies on it checks the signature elsewhere.
 *
 * @returns the claims, or null when it is no such token
 */
export function readClaims(token: string): Record<string, unknown> | null {
  if (token.length > TOKEN_CHARS_MAX) return null;
  const payload = token.split('.')[1];
  if (payload === undefined) return null;
  try {
    const binary = atob(payload.replaceAll('-', '+').replaceAll('_', '/'));
    const bytes = Uint8Array.from(binary, (char) => char.charCodeAt(0));
    const claims: unknown = JSON.parse(new TextDecoder().decode(bytes));
    const isObject = typeof claims === 'object' && claims !== null && !Array.isArray(claims);
    return isObject ? (claims as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}
