import type { Accepted } from '../../regional-core/intake/submit-vote.ts';

/** How one POST ended, as the client knows it. `unknown`: no answer, or a 5xx that is not sure. */
export type Ending =
  | { readonly how: 'ok'; readonly accepted: Accepted }
  | { readonly how: 'refused'; readonly code: string }
  | { readonly how: 'unknown'; readonly code: string };

/** One POST of one page. */
export interface Attempt {
  readonly voteId: string;
  readonly page: number;
  readonly option: string;
  readonly region: string;
  readonly sentMs: number;
  endedMs: number;
  ending: Ending | undefined;
}

/** Where one page has got to when it stops. */
export interface PageEnd {
  readonly voteId: string;
  readonly page: number;
  readonly option: string;
  /** True when this voter sent other choices from other pages. */
  readonly isDouble: boolean;
  end: string | undefined;
}
