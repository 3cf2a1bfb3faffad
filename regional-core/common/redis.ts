import { Redis } from 'ioredis';
import type { Log } from './log.ts';

export type { Redis } from 'ioredis';

/** A connection on which nothing comes back for this long is given up for a new one. */
const silenceMs = 1000;

/**
 * A connection to a store that may be away at any time: nothing waits for it. Commands fail at once
 * while it is disconnected (no offline queue), each has `commandMs`, and reconnecting backs off
 * from 50 ms to 1 s without end.
 *
 * When the store fails over, its address leads to another server, and only a new connection finds
 * it: one that has become a replica (READONLY, also out of a script) or says nothing more is left.
 */
export function createRedis(options: {
  readonly url: string;
  readonly name: string;
  readonly commandMs: number;
  readonly log: Log;
}): Redis {
  let isLeaving = false;
  const redis = new Redis(options.url, {
    connectionName: options.name,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    commandTimeout: options.commandMs,
    connectTimeout: 1000,
    socketTimeout: silenceMs,
    reconnectOnError: (error) => {
      if (isLeaving || !error.message.includes('READONLY')) return false;
      // Hundreds of commands may be under way: ioredis would put a listener and a timer on the
      // connection for each of them.
      isLeaving = true;
      return true;
    },
    retryStrategy: (attempt) => Math.min(1000, 50 * 2 ** Math.min(attempt, 5)),
    enableAutoPipelining: false,
    lazyConnect: false,
  });
  redis.on('connect', () => {
    isLeaving = false;
  });
  let reported = false;
  redis.on('error', (error: Error) => {
    // One line an outage, not one an attempt.
    if (!reported) options.log.warn({ err: error }, 'redis is away');
    reported = true;
  });
  redis.on('ready', () => {
    if (reported) options.log.info('redis is back');
    reported = false;
  });
  return redis;
}
