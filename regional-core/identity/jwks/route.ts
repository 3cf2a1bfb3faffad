import type { Router } from '@koa/router';
import type { RequestState } from '#common/http.ts';
import type { PublicJwk } from '#common/keys.ts';
import { answerJson } from '../answer.ts';

/** A rotation shows its new key this long before it signs. */
const cacheControl = 'public, max-age=300';

/**
 * `GET /.well-known/jwks.json`, made once: another key is seen after a restart, and by caches 300 s
 * later. A key given twice is listed once.
 */
export function jwksRoutes(router: Router<RequestState>, keys: readonly PublicJwk[]): void {
  const byId = new Map(keys.map((key) => [key.kid, { ...key, alg: 'EdDSA', use: 'sig' }]));
  const jwks = { keys: [...byId.values()] };
  router.get('/.well-known/jwks.json', (context) => answerJson(context, 200, jwks, cacheControl));
}
