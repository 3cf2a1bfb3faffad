import { SECOND_MS } from './clock.ts';
import type { Redis } from './redis.ts';

/** A clock to compare with; it rejects when it does not answer within a second. */
export interface ClockPeer {
  readonly name: string;
  readonly ask: () => Promise<{ readonly ms: number; readonly resolutionMs: number }>;
}

const answerMsMax = SECOND_MS;

/** In what a process answers on its internal listener: its clock, finer than `Date`. */
export const timeHeader = 'x-time-ms';

/** The region's Redis tells its time to the microsecond. */
export function redisPeer(redis: Redis): ClockPeer {
  return {
    name: 'redis',
    ask: async () => {
      const [seconds, micros] = await redis.time();
      return { ms: Number(seconds) * 1000 + Number(micros) / 1000, resolutionMs: 0 };
    },
  };
}

/** Another process, by its internal listener: our header when it has it, else `Date`. */
export function httpPeer(url: string): ClockPeer {
  return {
    name: url,
    ask: async () => {
      const { headers, body } = await fetch(url, { signal: AbortSignal.timeout(answerMsMax) });
      await body?.cancel();
      const fine = Number(headers.get(timeHeader) ?? Number.NaN);
      if (Number.isFinite(fine)) return { ms: fine, resolutionMs: 1 };
      const coarse = Date.parse(headers.get('date') ?? '');
      if (Number.isNaN(coarse)) throw new Error(`${url} does not tell its time`);
      return { ms: coarse, resolutionMs: SECOND_MS };
    },
  };
}
