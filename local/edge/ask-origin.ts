import type { IncomingMessage } from 'node:http';
import type { Exchange } from './exchange.ts';
import { OriginError, type OriginPool } from './origin-pool.ts';
import { originHeaders } from './origin-request.ts';

export interface AskSettings {
  readonly originSecret: string;
  /** Statuses on which a GET goes on to the second origin of a group. */
  readonly failoverStatuses: ReadonlySet<number>;
}

/**
 * Asks the behaviour's origins in order and resolves with the first answer that is no fault of its
 * region. Only GET and HEAD are ever asked a second time: a POST that failed may have been carried
 * out. Rejects with the last OriginError.
 */
export async function askOrigins(
  exchange: Exchange,
  pools: readonly OriginPool[],
  target: string,
  body: Buffer | undefined,
  settings: AskSettings,
): Promise<IncomingMessage> {
  const { request, method, behavior, viewer, metrics } = exchange;
  const members = method === 'GET' || method === 'HEAD' ? pools : pools.slice(0, 1);
  for (const [index, pool] of members.entries()) {
    const isLast = index === members.length - 1;
    const { originSecret } = settings;
    const headers = originHeaders(request, behavior.request, viewer, originSecret, pool.host);
    const sentMs = performance.now();
    try {
      const answer = await pool.send({ method, target, headers, body });
      metrics.originSeconds((performance.now() - sentMs) / 1000);
      if (isLast || !settings.failoverStatuses.has(answer.statusCode!)) return answer;
      // Read away, so that the connection can be used again.
      answer.on('error', () => {}).resume();
    } catch (error) {
      if (isLast) throw error;
    }
  }
  throw new OriginError('unreachable');
}
