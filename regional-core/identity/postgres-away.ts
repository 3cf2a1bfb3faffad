import type { Middleware } from 'koa';
import { jitteredRetryS, ServiceError } from '#common/errors.ts';
import { isPostgresAway } from '#common/postgres.ts';

/**
 * Postgres away is trouble that passes: 503 and a time to come back, never a 500. What is written
 * here may be asked for again: a registration or a login that was stored without an answer is unused
 * and expires.
 */
export function answerPostgresAway(random: () => number): Middleware {
  return async (_context, next) => {
    try {
      await next();
    } catch (error) {
      if (error instanceof ServiceError || !isPostgresAway(error)) throw error;
      const retryAfterS = jitteredRetryS(2, random);
      throw new ServiceError('not_ready', { retryAfterS, cause: error });
    }
  };
}
