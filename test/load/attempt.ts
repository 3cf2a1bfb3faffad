import type { Answer } from './response.ts';

/**
 * How a voter's page reads one attempt. `accepted` and `refused` end the matter; `again` repeats the
 * same choice after a wait. `mayBeRecorded`: the request may have written something although its
 * outcome is not known.
 */
export type Verdict =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'refused'; readonly code: string }
  | {
      readonly kind: 'again';
      readonly code: string;
      readonly waitMs: number;
      readonly mayBeRecorded: boolean;
    };

const retryAfterMsMax = 5_000;
const backOffMs = { first: 200, max: 4_000 };

/** @param random in [0, 1): voters who failed together must not come back together */
export function judgeAnswer(answer: Answer, attempt: number, random: number): Verdict {
  if (answer.status === 201) return { kind: 'accepted' };
  const problem = readProblem(answer.body);
  const code = problem.code ?? `http_${answer.status}`;
  const isServers = answer.status >= 500;
  if (!isServers && !problem.isRetryable) return { kind: 'refused', code };
  const asked = answer.retryAfterS === undefined ? undefined : answer.retryAfterS * 1000;
  return {
    kind: 'again',
    code,
    waitMs: asked === undefined ? backOff(attempt, random) : Math.min(asked, retryAfterMsMax),
    mayBeRecorded: isServers,
  };
}

/** @param code `network` or `timeout`: no answer came */
export function judgeSilence(code: string, attempt: number, random: number): Verdict {
  return { kind: 'again', code, waitMs: backOff(attempt, random), mayBeRecorded: true };
}

/** 200 ms doubling to 4 s, each spread over its upper half. */
function backOff(attempt: number, random: number): number {
  const wholeMs = Math.min(backOffMs.first * 2 ** attempt, backOffMs.max);
  return wholeMs * (0.5 + random / 2);
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
