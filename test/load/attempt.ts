import { backOffMs } from '../../voter-web/back-off.ts';
import type { Answer } from './response.ts';

/**
 * How a voter's page reads one attempt. `accepted` and `refused` end the matter; `again` repeats
 * the same choice after a wait. `mayBeRecorded`: the request may have written something although
 * its outcome is not known. `askedMs`: the wait that the answer asks for.
 */
export type Verdict =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'refused'; readonly code: string }
  | {
      readonly kind: 'again';
      readonly code: string;
      readonly askedMs: number | undefined;
      readonly mayBeRecorded: boolean;
    };

/** The page waits as long as it is told to, within reason. */
const retryAfterMsMax = 120_000;
const waitMs = { first: 1_000, max: 30_000 };

export function judgeAnswer(answer: Answer): Verdict {
  if (answer.status === 201) return { kind: 'accepted' };
  const problem = readProblem(answer.body);
  const code = problem.code ?? `http_${answer.status}`;
  const isServers = answer.status >= 500;
  if (!isServers && !problem.isRetryable) return { kind: 'refused', code };
  const asked = answer.retryAfterS;
  const askedMs = asked === undefined ? undefined : Math.min(asked * 1000, retryAfterMsMax);
  return { kind: 'again', code, askedMs, mayBeRecorded: isServers };
}

/** @param code `network` or `timeout`: no answer came */
export function judgeSilence(code: string): Verdict {
  return { kind: 'again', code, askedMs: undefined, mayBeRecorded: true };
}

/**
 * Milliseconds until the next attempt, as the page does: none while a region has not been tried in
 * this round and no answer asks for a wait; else 1 s doubling to 30 s, or longer when asked for.
 *
 * @param failed attempts so far, from 1
 * @param random in [0, 1): voters who failed together must not come back together
 */
export function waitAfter(
  askedMs: number | undefined,
  failed: number,
  regions: number,
  random: number,
): number {
  if (askedMs === undefined && failed % regions !== 0) return 0;
  const rounds = Math.ceil(failed / regions);
  return Math.max(askedMs ?? 0, backOffMs(rounds, random, waitMs.first, waitMs.max));
}

function readProblem(body: string): { code: string | undefined; isRetryable: boolean } {
  try {
    const { error, retryable } = JSON.parse(body) as { error?: unknown; retryable?: unknown };
    return {
      code: typeof error === 'string' ? error : undefined,
      isRetryable: retryable === true,
    };
  } catch {
    // CloudFront's own errors may be HTML.
    return { code: undefined, isRetryable: false };
  }
}
