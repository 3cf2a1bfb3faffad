import type { Context, Middleware } from 'koa';
import { ServiceError } from '#common/errors.ts';

/**
 * Refuses what a page of another site makes an admin's browser send (CSRF). Browsers say where a
 * request comes from in headers that no page can forge; programs that are no browser send none of
 * them and hold no cookie of somebody else.
 */
export function sameOriginOnly(portalUrl: string): Middleware {
  const portalOrigin = new URL(portalUrl).origin;
  return (context, next) => {
    const origin = context.get('origin');
    const foreign = origin !== '' && origin !== portalOrigin && !isOwnHost(context, origin);
    if (foreign || context.get('sec-fetch-site') === 'cross-site') {
      throw new ServiceError('forbidden', {
        message: 'The portal does not take requests of other sites.',
      });
    }
    return next();
  };
}

/** The portal may have more than one name: what the browser asked for is where its page is from. */
function isOwnHost(context: Context, origin: string): boolean {
  return URL.canParse(origin) && new URL(origin).host === context.get('host');
}
