import type { Middleware } from 'koa';
import { ServiceError } from '#common/errors.ts';

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

/** SQLSTATE classes: 08 connection, 57 operator intervention, 53 out of resources, 25006 standby. */
const sqlStates = /^(08...|57...|53...|25006|55P03)$/;
const socketCodes = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND']);
/** What pg and ioredis say without a code. */
const sentences =
  /^(Connection terminated|Client has encountered a connection error|timeout exceeded when trying|Query read timeout|Connection is closed|Command timed out|Stream isn't writeable|Reached the max retries)/;

export function isStoreAway(error: unknown): boolean {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  if (typeof code === 'string' && (sqlStates.test(code) || socketCodes.has(code))) return true;
  return typeof message === 'string' && sentences.test(message);
}
