import { type Problem, textMember } from './api.ts';
import type { Speech } from './i18n.ts';

/** Where the voter stands when something goes wrong: it decides what is said of the vote. */
export type Standing = 'not-voted' | 'refused' | 'unknown' | 'recorded';

/** An error in the voter's words: what it means for the vote, why, what to do, what to quote. */
export type Explanation = { vote: string; reason: string; todo: string; requestId: string | null };

/**
 * Puts a problem into words. A code that the catalogue does not know is told by the server's own
 * sentence, so that a newer service never leaves a voter with nothing.
 */
export function explain(
  problem: Problem,
  standing: Standing,
  { t, has, moment }: Speech,
): Explanation {
  const code = has(`error.${problem.error}`) ? problem.error : 'other';
  const opensAt = textMember(problem, 'opens_at');
  const reason =
    code === 'other' && problem.message !== ''
      ? problem.message
      : t(`error.${code}`, { time: moment(opensAt) });
  const waitS = problem.retryAfterS ?? 0;
  const retry = waitS > 0 ? t('todo.wait', { count: waitS }) : t('todo.retry');
  const own = `todo.${problem.error}`;
  let todo = retry;
  if (has(own)) todo = t(own);
  else if (!problem.retryable && problem.requestId !== null) todo = t('todo.report');
  return { vote: t(`vote.${standing}`), reason, todo, requestId: problem.requestId };
}
