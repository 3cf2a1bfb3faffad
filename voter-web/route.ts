import { type Language, languageOf } from './language.ts';

/** What the address asks for. A voting session may be named in the path or in the query. */
export type Route =
  | { view: 'vote'; language: Language; sessionId: string | null }
  | { view: 'verify'; language: Language; token: string }
  | { view: 'receipt'; language: Language };

/** Longer ids and tokens than these are nobody's; they are read as absent. */
const SESSION_ID = /^[A-Za-z0-9_-]{1,64}$/;
const TOKEN_CHARS_MAX = 2048;

/**
 * Reads `/`, `/?session=ID`, `/s/ID`, `/verify?token=…`, `/receipt`, each with or without `/{language}` before
 * it. Anything else is the start page of its language: an old link never ends on an error page.
 */
export function readRoute(pathname: string, search: string): Route {
  const parts = pathname.split('/').filter((part) => part !== '');
  const prefix = languageOf(parts[0] ?? '');
  if (prefix !== null) parts.shift();
  const language = prefix ?? 'en';
  const query = new URLSearchParams(search);
  const token = query.get('token') ?? '';
  if (parts[0] === 'verify' && token !== '' && token.length <= TOKEN_CHARS_MAX) {
    return { view: 'verify', language, token };
  }
  if (parts[0] === 'receipt') return { view: 'receipt', language };
  const sessionId = parts[0] === 's' ? (parts[1] ?? '') : (query.get('session') ?? '');
  return { view: 'vote', language, sessionId: SESSION_ID.test(sessionId) ? sessionId : null };
}

/** The address of the same place in another language, so that switching loses nothing. */
export function addressIn(language: Language, route: Route): string {
  if (route.view === 'verify')
    return `/${language}/verify?token=${encodeURIComponent(route.token)}`;
  if (route.view === 'receipt') return `/${language}/receipt`;
  return route.sessionId === null ? `/${language}/` : `/${language}/s/${route.sessionId}`;
}
