import type { Answer, ApiRequest } from './api.ts';
import type { TextStore } from './kept-vote.ts';
import { readObject } from './storage.ts';

/**
 * The login of this tab. Tokens stay in sessionStorage: they end with the tab, and neither another
 * tab nor anybody who opens the browser later finds them.
 */
export type Login = { accessToken: string; refreshToken: string; expiresAtMs: number };

const loginKey = 'login';
/** A token that ends within this is renewed before it is used. */
const renewBeforeMs = 30_000;

type Ask = (url: string, request: ApiRequest) => Promise<Answer>;

/**
 * Null when nobody is logged in here, or what is kept is not readable. Its access token may have
 * expired: `freshToken` gives a good one.
 */
export function readLogin(store: TextStore): Login | null {
  const login = readObject(store, loginKey);
  return typeof login?.['accessToken'] === 'string' ? (login as Login) : null;
}

/** Keeps what a login or a refresh answered; null when it is no such answer. */
export function keepLogin(store: TextStore, answer: Answer, nowMs: number): Login | null {
  if (answer.kind !== 'ok') return null;
  const body = answer.body as Record<string, unknown>;
  const { access_token: accessToken, refresh_token: refreshToken, expires_in: lifetimeS } = body;
  if (typeof accessToken !== 'string' || typeof refreshToken !== 'string') return null;
  const expiresAtMs = nowMs + (typeof lifetimeS === 'number' ? lifetimeS : 0) * 1000;
  const login = { accessToken, refreshToken, expiresAtMs };
  store.setItem(loginKey, JSON.stringify(login));
  return login;
}

/**
 * An access token that is good now, renewed where it must be. A refresh token that is refused ends
 * the login; one that could not be sent does not.
 */
export async function freshToken(
  store: TextStore,
  ask: Ask,
  nowMs: number,
  force: boolean,
): Promise<string | null> {
  const login = readLogin(store);
  if (login === null) return null;
  if (!force && login.expiresAtMs - nowMs > renewBeforeMs) return login.accessToken;
  const answer = await ask('/api/v1/auth/refresh', {
    method: 'POST',
    body: { refresh_token: login.refreshToken },
  });
  const renewed = keepLogin(store, answer, nowMs);
  if (renewed !== null) return renewed.accessToken;
  if (answer.kind === 'problem' && answer.problem.status < 500) store.removeItem(loginKey);
  return null;
}

/** Ends the login here at once, and on the server as far as it can be reached. */
export async function logOut(store: TextStore, ask: Ask): Promise<void> {
  const login = readLogin(store);
  store.removeItem(loginKey);
  if (login === null) return;
  await ask('/api/v1/auth/logout', {
    method: 'POST',
    headers: { authorization: `Bearer ${login.accessToken}` },
    body: { refresh_token: login.refreshToken },
  });
}
