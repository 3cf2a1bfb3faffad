import type { JSX } from 'preact';
import type { Problem } from '../api.ts';
import type { SenderState } from '../vote-sender.ts';
import { Heading } from './layout.tsx';
import { ProblemSummary } from './problem.tsx';
import { useSpeech } from './speaking.ts';

/**
 * The vote is on its way and its outcome is not known: there is nothing to choose here, only to
 * wait, or to do what the way needs.
 */
export function Sending(props: { sender: SenderState | null; resume: () => void }): JSX.Element {
  const { t } = useSpeech();
  const todo = props.sender?.todo ?? null;
  const end = todo?.do === 'stop' ? todo.end : null;
  const problem = problemAt(props.sender);
  return (
    <>
      <Heading>{t('sending.title')}</Heading>
      {problem !== null && (
        <ProblemSummary
          problem={problem}
          standing={props.sender?.unknown === true ? 'unknown' : 'refused'}
        />
      )}
      <div class="card">
        <p class="lead">{t('sending.kept')}</p>
        <p role="status">{t(statusKey(props.sender))}</p>
        {end === null ? (
          <div class="busy" aria-hidden="true" />
        ) : (
          <button type="button" onClick={props.resume}>
            {t('sending.again')}
          </button>
        )}
        <p class="hint">{t('sending.leave')}</p>
      </div>
    </>
  );
}

function problemAt(sender: SenderState | null): Problem | null {
  if (sender?.todo.do !== 'stop') return null;
  const { end } = sender.todo;
  if (end.kind === 'unresolved') return end.problem;
  if (end.kind !== 'challenge') return null;
  const members = { status: 403, message: '', retryable: true, retryAfterS: null, members: {} };
  return { ...members, error: 'suspicious_activity', requestId: end.requestId };
}

function statusKey(sender: SenderState | null): string {
  const todo = sender?.todo;
  if (todo?.do === 'wait') return `sending.${todo.why}`;
  if (todo?.do === 'stop')
    return todo.end.kind === 'unresolved' ? 'sending.checking' : 'sending.held';
  return sender?.unknown === true ? 'sending.retry' : 'sending.now';
}
