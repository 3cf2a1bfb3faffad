import type { Context } from 'koa';

/**
 * The login's cookie. `__Host-` binds it to this very host, over TLS (to browsers http://localhost
 * is secure too) and to the path /; SameSite=Lax keeps it out of other sites' requests.
 */
const name = '__Host-vote-admin';
const attributes = 'Path=/; Secure; HttpOnly; SameSite=Lax';

/**
 * Takes the place of any other cookie of this answer. It has no age of its own: when the login ends
 * the server decides. `token` is base64url: nothing is escaped.
 */
export function setLoginCookie(context: Context, token: string): void {
  context.set('set-cookie', `${name}=${token}; ${attributes}`);
}

/** Takes the cookie from the browser; the login itself goes on until `Logins.end`. */
export function clearLoginCookie(context: Context): void {
  context.set('set-cookie', `${name}=; ${attributes}; Max-Age=0`);
}

/** The token that the request brings; undefined for none or for what cannot be one. */
export function loginToken(context: Context): string | undefined {
  const pairs = context.get('cookie').split(';');
  const value = pairs.map((pair) => pair.trim()).find((pair) => pair.startsWith(`${name}=`));
  const token = value?.slice(name.length + 1);
  return token !== undefined && /^[\w-]{43}$/.test(token) ? token : undefined;
}
