import type { Middleware } from 'koa';
import { ServiceError } from '#common/errors.ts';
import { isPostgresAway } from '#common/postgres.ts';

/** Postgres and Redis away mean "not now", not "broken": the client may try again. */
export function retryableStoreTrouble(): Middleware {
  return async (_context, next) => {
    try {
      await next();
    } catch (error) {
      if (error instanceof ServiceError || !isStoreAway(error)) throw error;
      throw new ServiceError('not_ready', { retryAfterS: 2, cause: error });
    }
  };
}

/**
 * A write whose connection was lost may have happened: that is an unknown outcome, and never
 * "nothing was written".
 */
export async function unknownWhenLost<T>(write: Promise<T>): Promise<T> {
  try {
    return await write;
  } catch (error) {
    if (!isStoreAway(error)) throw error;
    throw new ServiceError('outcome_unknown', {
      message:
        'We cannot say yet whether this was recorded; look at the sessions before you retry.',
      retryAfterS: 2,
      cause: error,
    });
  }
}

/** What ioredis says while there is no Redis; it gives most of it no code. */
const redisAway =
  /^(Connection is closed|Command timed out|Stream isn't writeable|Reached the max)/;

function isStoreAway(error: unknown): boolean {
  return isPostgresAway(error) || (error instanceof Error && redisAway.test(error.message));
}
