import type { JSX, TargetedSubmitEvent } from 'preact';
import { useState } from 'preact/hooks';
import { keepLogin, logOut } from '../account.ts';
import { ask, type Problem, problemOf } from '../api.ts';
import { tabStore } from '../browser.ts';
import type { Standing } from '../explain.ts';
import { formText } from '../form-text.ts';
import { FieldSummary } from './problem.tsx';
import { useSpeech } from './speaking.ts';

type AccountProps = {
  loggedIn: boolean;
  standing: Standing;
  openBallot: () => Promise<void>;
  onLogin: (loggedIn: boolean) => void;
  onProblem: (problem: Problem | null) => void;
};

/** What the service takes for a new password. */
const passwordCharsMin = 10;
const passwordCharsMax = 128;

type Fault = { field: string; text: string };

/** Voting with an account: log in, or create one and confirm the address by mail. */
export function AccountEntry(props: AccountProps): JSX.Element {
  const { t } = useSpeech();
  const [registering, setRegistering] = useState(false);
  const [mailedTo, setMailedTo] = useState<string | null>(null);

  async function logIn(email: string, password: string): Promise<void> {
    const body = { email, password };
    const answer = await ask('/api/v1/auth/login', { method: 'POST', body });
    if (keepLogin(tabStore, answer, Date.now()) === null) {
      props.onProblem(problemOf(answer) ?? problemOf({ kind: 'none' }));
      return;
    }
    props.onLogin(true);
    await props.openBallot();
  }

  async function register(email: string, password: string): Promise<void> {
    const body = { email, password };
    const answer = await ask('/api/v1/auth/register', { method: 'POST', body });
    props.onProblem(problemOf(answer));
    if (answer.kind === 'ok') setMailedTo(email);
  }

  function leave(): void {
    props.onLogin(false);
    void logOut(tabStore, ask);
  }

  if (props.loggedIn) return <LoggedIn open={props.openBallot} leave={leave} />;
  if (mailedTo !== null) {
    return (
      <section class="card" aria-labelledby="account-title">
        <h2 id="account-title">{t('register.mailed')}</h2>
        <p role="status">{t('register.mailed.text', { email: mailedTo })}</p>
        <button type="button" class="quiet" onClick={() => setMailedTo(null)}>
          {t('register.back')}
        </button>
      </section>
    );
  }
  const way = registering ? 'register' : 'login';
  return (
    <section class="card" aria-labelledby="account-title">
      <h2 id="account-title">{t(registering ? 'register.title' : 'account.title')}</h2>
      <Credentials
        key={way}
        way={way}
        send={registering ? register : logIn}
        before={props.onProblem}
      />
      <button type="button" class="quiet" onClick={() => setRegistering(!registering)}>
        {t(registering ? 'register.back' : 'login.register')}
      </button>
    </section>
  );
}

function LoggedIn(props: { open: () => Promise<void>; leave: () => void }): JSX.Element {
  const { t } = useSpeech();
  return (
    <section class="card" aria-labelledby="account-title">
      <h2 id="account-title">{t('account.title')}</h2>
      <p>{t('account.in')}</p>
      <button type="button" onClick={() => void props.open()}>
        {t('account.open')}
      </button>
      <button type="button" class="quiet" onClick={props.leave}>
        {t('account.leave')}
      </button>
    </section>
  );
}

function Credentials(props: {
  way: 'login' | 'register';
  send: (email: string, password: string) => Promise<void>;
  before: (problem: null) => void;
}): JSX.Element {
  const { t } = useSpeech();
  const [faults, setFaults] = useState<readonly Fault[]>([]);
  const [busy, setBusy] = useState(false);

  async function submit(event: TargetedSubmitEvent<HTMLFormElement>): Promise<void> {
    event.preventDefault();
    if (busy) return;
    const email = formText(event.currentTarget, 'email').trim();
    const password = formText(event.currentTarget, 'password');
    const found: Fault[] = [];
    if (!/^\S+@\S+$/.test(email)) found.push({ field: 'email', text: t('email.missing') });
    if (password === '') found.push({ field: 'password', text: t('password.missing') });
    if (props.way === 'register' && password !== '' && password.length < passwordCharsMin) {
      found.push({ field: 'password', text: t('password.short', { count: passwordCharsMin }) });
    }
    props.before(null);
    setFaults(found);
    if (found.length > 0) return;
    setBusy(true);
    await props.send(email, password).finally(() => setBusy(false));
  }

  const invalid = (field: string): 'true' | undefined =>
    faults.some((fault) => fault.field === field) ? 'true' : undefined;
  return (
    <>
      <FieldSummary faults={faults} />
      <form method="dialog" noValidate onSubmit={(event) => void submit(event)}>
        <label for="email">{t('email.label')}</label>
        <input
          id="email"
          name="email"
          type="email"
          dir="ltr"
          maxLength={254}
          autocomplete="username"
          aria-invalid={invalid('email')}
        />
        <label for="password">{t('password.label')}</label>
        {props.way === 'register' && (
          <p class="hint" id="password-hint">
            {t('password.hint', { count: passwordCharsMin })}
          </p>
        )}
        <input
          id="password"
          name="password"
          type="password"
          dir="ltr"
          maxLength={passwordCharsMax}
          autocomplete={props.way === 'login' ? 'current-password' : 'new-password'}
          aria-describedby={props.way === 'register' ? 'password-hint' : undefined}
          aria-invalid={invalid('password')}
        />
        <button type="submit" aria-disabled={busy ? 'true' : undefined}>
          {t(`${props.way}.submit`)}
        </button>
      </form>
    </>
  );
}
