import type { JSX, TargetedSubmitEvent } from 'preact';
import { useState } from 'preact/hooks';
import { type Problem, problemOf } from '../api.ts';
import type { Standing } from '../explain.ts';
import { formText } from '../form-text.ts';
import type { Opened } from '../open-ballot.ts';
import { admits, type Session } from '../session.ts';
import { readVotingCode } from '../voting-code.ts';
import { AccountEntry } from './account-entry.tsx';
import { Heading } from './layout.tsx';
import { FieldSummary, ProblemSummary } from './problem.tsx';
import { useSpeech } from './speaking.ts';

type EntryProps = {
  session: Session | null;
  /** A choice is kept and only waits for a ballot. */
  choiceKept: boolean;
  loggedIn: boolean;
  open: (code: string | null) => Promise<Opened>;
  onLogin: (loggedIn: boolean) => void;
};

/** The first screen, also before scripts run: who is voting, by a code or by an account. */
export function Entry(props: EntryProps): JSX.Element {
  const { t, moment } = useSpeech();
  const [problem, setProblem] = useState<Problem | null>(null);
  const { session } = props;
  const standing: Standing = props.choiceKept ? 'unknown' : 'not-voted';

  async function open(code: string | null): Promise<void> {
    setProblem(null);
    const opened = await props.open(code);
    if (opened === null) props.onLogin(false);
    else if ('answer' in opened) setProblem(problemOf(opened.answer));
  }

  return (
    <>
      <Heading>{session?.title || t('entry.title')}</Heading>
      {problem !== null && <ProblemSummary problem={problem} standing={standing} />}
      {props.choiceKept && <p class="notice">{t('entry.kept')}</p>}
      {session?.state === 'scheduled' && (
        <p class="notice">{t('session.opens', { time: moment(session.opens_at) })}</p>
      )}
      <p class="lead">{t('entry.lead')}</p>
      {admits(session, 'code') && <CodeEntry open={open} />}
      {admits(session, 'account') && (
        <AccountEntry
          loggedIn={props.loggedIn}
          standing={standing}
          openBallot={() => open(null)}
          onLogin={props.onLogin}
          onProblem={setProblem}
        />
      )}
    </>
  );
}

function CodeEntry(props: { open: (code: string) => Promise<void> }): JSX.Element {
  const { t } = useSpeech();
  const [fault, setFault] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);

  async function submit(event: TargetedSubmitEvent<HTMLFormElement>): Promise<void> {
    event.preventDefault();
    if (busy) return;
    const typed = formText(event.currentTarget, 'code');
    const code = readVotingCode(typed);
    setFault(code === null ? t(typed.trim() === '' ? 'code.missing' : 'code.malformed') : null);
    if (code === null) return;
    setBusy(true);
    await props.open(code).finally(() => setBusy(false));
  }

  return (
    <section class="card" aria-labelledby="code-title">
      <h2 id="code-title">{t('code.title')}</h2>
      {fault !== null && <FieldSummary faults={[{ field: 'code', text: fault }]} />}
      {/* Before scripts run, method=dialog makes pressing the button do nothing: no code in an address. */}
      <form method="dialog" noValidate onSubmit={(event) => void submit(event)}>
        <label for="code">{t('code.label')}</label>
        <p class="hint" id="code-hint">
          {t('code.hint')}{' '}
          <bdi dir="ltr" class="example">
            7K3QD-9MZ2A-XW4HT-0RB6V
          </bdi>
        </p>
        <input
          id="code"
          name="code"
          class="code"
          dir="ltr"
          type="text"
          autocomplete="off"
          autocapitalize="characters"
          spellcheck={false}
          maxLength={60}
          aria-describedby="code-hint"
          aria-invalid={fault !== null ? 'true' : undefined}
        />
        <button type="submit" aria-disabled={busy ? 'true' : undefined}>
          {t('code.open')}
        </button>
      </form>
    </section>
  );
}
