import type { Context } from 'koa';
import type { Clock } from '#common/clock.ts';
import { type Receipt, verifyReceipt } from '#common/contracts/receipt.ts';
import { jitteredRetryS, ServiceError } from '#common/errors.ts';
import type { PublicKeys } from '#common/keys.ts';
import type { ResultsMetrics } from './metrics.ts';
import type { Snapshots } from './snapshot/snapshots.ts';
import type { Known, ResultsState } from './state.ts';
import type { Broadcaster } from './stream/broadcaster.ts';
import type { StreamPlaces } from './stream/places.ts';

/** What the routes work with. */
export interface Results {
  readonly state: ResultsState;
  readonly snapshots: Snapshots;
  readonly broadcaster: Broadcaster;
  readonly places: StreamPlaces;
  readonly receiptKeys: PublicKeys;
  readonly clock: Clock;
  readonly random: () => number;
  readonly metrics: ResultsMetrics;
  /** True once both topics were read to their ends; it stays true when Kafka goes away. */
  readonly caughtUp: () => boolean;
  /** True from the beginning of the drain: no stream is opened any more. */
  readonly draining: () => boolean;
}

/** Seconds to wait for a process that is starting, or for a place. */
const retryBaseS = 2;

/** Retryable trouble, with a moment to come back that differs from client to client. */
export function comeBackLater(
  code: 'not_ready' | 'overloaded' | 'rate_limit_exceeded',
  random: () => number,
): ServiceError {
  return new ServiceError(code, { retryAfterS: jitteredRetryS(retryBaseS, random) });
}

/**
 * The session a request is about; undefined when there is none. Throws `not_ready` until both
 * topics were read: a session that is not known yet must not be told from one that does not exist.
 */
export function knownSession(results: Results, context: Context): Known | undefined {
  if (!results.caughtUp()) throw comeBackLater('not_ready', results.random);
  const { session_id: sessionId } = context['params'] as { session_id: string };
  return results.state.get(sessionId);
}

/**
 * The receipt that shows its holder voted in this session. Throws `forbidden` for anything else.
 */
export function requireReceipt({ receiptKeys }: Results, proof: string, known: Known): Receipt {
  const receipt = verifyReceipt(proof, receiptKeys);
  if (receipt?.session_id !== known.session.session_id) throw new ServiceError('forbidden');
  return receipt;
}
