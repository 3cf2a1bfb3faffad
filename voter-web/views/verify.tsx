import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { type Answer, ask, problemOf } from '../api.ts';
import { Heading } from './layout.tsx';
import { ProblemSummary } from './problem.tsx';
import { useSpeech } from './speaking.ts';

/** Confirms the address of a new account with the token from the mail. */
export function Verify(props: { token: string }): JSX.Element {
  const { t, language } = useSpeech();
  const [answer, setAnswer] = useState<Answer | null>(null);
  const [tries, setTries] = useState(1);

  useEffect(() => {
    const body = { token: props.token };
    async function confirm(): Promise<void> {
      const came = await ask('/api/v1/auth/verify', { method: 'POST', body });
      // A used token has no business in the history of the browser.
      if (came.kind === 'ok') history.replaceState(null, '', `/${language}/`);
      setAnswer(came);
    }
    void confirm();
  }, [tries]);

  const problem = answer === null ? null : problemOf(answer);
  return (
    <>
      <Heading>{t('verify.title')}</Heading>
      {problem !== null && <ProblemSummary problem={problem} standing="not-voted" />}
      <p role="status" class="lead">
        {answer === null && t('verify.busy')}
        {answer?.kind === 'ok' && t('verify.done')}
      </p>
      {answer?.kind === 'ok' && <a href={`/${language}/`}>{t('verify.next')}</a>}
      {problem?.retryable === true && (
        <button type="button" onClick={() => setTries(tries + 1)}>
          {t('verify.again')}
        </button>
      )}
    </>
  );
}
