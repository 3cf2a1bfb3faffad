import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Behavior, Distribution } from './distribution.ts';
import type { BehaviorMetrics } from './metrics.ts';
import type { Viewer } from './origin-request.ts';

/** One request on its way through the edge, once it is known what serves it. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly method: string;
  readonly path: string;
  /** With its question mark; empty when there is none. */
  readonly query: string;
  readonly viewer: Viewer;
  readonly distribution: Distribution;
  readonly behavior: Behavior;
  readonly metrics: BehaviorMetrics;
}

/** What is known of every request, also of those that are refused before a behaviour is found. */
export type Incoming = Pick<Exchange, 'request' | 'response' | 'viewer'>;
