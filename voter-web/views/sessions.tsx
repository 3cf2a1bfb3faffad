import type { JSX } from 'preact';
import type { Language } from '../language.ts';
import { addressIn } from '../route.ts';
import type { Session } from '../session.ts';
import { Heading } from './layout.tsx';
import { useSpeech } from './speaking.ts';

/** The votes to choose from, when the address names none and there are several. */
export function Sessions(props: { choices: readonly Session[]; language: Language }): JSX.Element {
  const { t } = useSpeech();
  return (
    <>
      <Heading>{t('sessions.title')}</Heading>
      <ul class="choices">
        {props.choices.map((choice) => (
          <li key={choice.session_id} class="card">
            <h2>
              <a
                href={addressIn(props.language, {
                  view: 'vote',
                  language: props.language,
                  sessionId: choice.session_id,
                })}
              >
                <bdi>{choice.title}</bdi>
              </a>
            </h2>
            <SessionTimes session={choice} />
          </li>
        ))}
      </ul>
    </>
  );
}

/** Nothing is announced or open: said, so that nobody looks for a code to enter. */
export function NoSession(): JSX.Element {
  const { t } = useSpeech();
  return (
    <>
      <Heading>{t('sessions.none')}</Heading>
      <p class="lead">{t('sessions.none.text')}</p>
    </>
  );
}

/** When a session opens, closes or has closed, in the viewer's zone and in UTC. */
export function SessionTimes(props: { session: Session }): JSX.Element | null {
  const { t, moment } = useSpeech();
  const { state, opens_at: opensAt, closes_at: closesAt } = props.session;
  const key =
    state === 'scheduled'
      ? 'session.opens'
      : state === 'open'
        ? 'session.closes'
        : 'session.closed';
  const time = state === 'scheduled' ? opensAt : closesAt;
  return <p>{t(key, { time: moment(time) })}</p>;
}
