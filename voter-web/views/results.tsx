import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { LiveResults } from '../live-results.ts';
import {
  areFinal,
  areHidden,
  type Correction,
  leading,
  type OptionResult,
  type Results,
} from '../results.ts';
import type { Session } from '../session.ts';
import { useResults } from '../use-results.ts';
import { useSpeech } from './speaking.ts';

/** A screen reader hears of new totals at most this often. */
const sayEveryMs = 5000;

/** The results as they come in. It stands apart from the ballot, which it never redraws. */
export function ResultsView(props: { session: Session; proof: string | null }): JSX.Element {
  const { t, clock, moment } = useSpeech();
  const { session } = props;
  const proof = session.results_policy === 'after_vote' ? props.proof : null;
  const live = useResults(session.results_url ?? '', session.session_id, proof);
  const results = live?.results ?? null;
  // What stands for good is read on other days, too.
  const time = areFinal(results) ? moment : clock;
  return (
    <section class="results" aria-labelledby="results-title">
      <h2 id="results-title">{t(titleKey(results))}</h2>
      {results === null && <p>{t('results.loading')}</p>}
      {typeof results?.total_votes === 'number' && (
        <p class="total">{t('results.total', { count: results.total_votes })}</p>
      )}
      <Standing results={results} />
      {results !== null && areHidden(results) && <Hidden session={session} />}
      {results !== null && !areHidden(results) && (
        <>
          <ul class="bars">
            {results.options.map((option) => (
              <Bar key={option.option_id} option={option} />
            ))}
          </ul>
          <p class="small">
            {t('results.as-of', { time: time(results.last_updated) })} {t(modeKey(live))}
          </p>
          {results.corrections.map((one) => (
            <Corrected key={`${one.kind} ${one.at}`} correction={one} />
          ))}
          {results.final_url !== null && (
            <a href={`${session.results_url ?? ''}${results.final_url}`}>{t('results.address')}</a>
          )}
          <Announcer results={results} />
        </>
      )}
    </section>
  );
}

/** Provisional, being checked, agreed on, or held for a moment: said once when it comes. */
function Standing(props: { results: Results | null }): JSX.Element {
  const { t, has } = useSpeech();
  const standing = `standing.${props.results?.state}`;
  return (
    <p class="hint" role="status">
      {has(standing) && t(standing)}
      {props.results?.stale === true && t('standing.stale')}
    </p>
  );
}

/** Why a count may be lower than it was. */
function Corrected(props: { correction: Correction }): JSX.Element | null {
  const { t, has } = useSpeech();
  const { kind, moved } = props.correction;
  const key = `corrected.${kind}`;
  return moved > 0 && has(key) ? <p class="small">{t(key, { count: moved })}</p> : null;
}

function Bar(props: { option: OptionResult }): JSX.Element {
  const { t, percent } = useSpeech();
  const { label, vote_count: count, percentage } = props.option;
  return (
    <li>
      <div class="bar-text">
        <bdi class="bar-label">{label}</bdi>
        <span class="bar-figures">
          <strong>
            <bdi>{percent(percentage ?? 0)}</bdi>
          </strong>{' '}
          <bdi>{t('results.votes', { count: count ?? 0 })}</bdi>
        </span>
      </div>
      <div class="bar" aria-hidden="true">
        <div class="bar-fill" style={{ inlineSize: `${percentage ?? 0}%` }} />
      </div>
    </li>
  );
}

function Hidden(props: { session: Session }): JSX.Element {
  const { t, moment } = useSpeech();
  const { results_policy: policy, closes_at: closesAt } = props.session;
  return <p>{t(`results.hidden.${policy}`, { time: moment(closesAt) })}</p>;
}

/**
 * Says the totals politely, the newest ones, at most once in five seconds, and only what is new.
 */
function Announcer(props: { results: Results }): JSX.Element {
  const { t, percent } = useSpeech();
  const [said, setSaid] = useState('');
  const sentence = useRef('');
  sentence.current = t('results.said', { count: props.results.total_votes ?? 0 });
  for (const option of leading(props.results)) {
    const share = percent(option.percentage ?? 0);
    sentence.current += ` ${t('results.leads', { label: option.label, share })}`;
  }
  useEffect(() => {
    const timer = setInterval(() => setSaid(sentence.current), sayEveryMs);
    return () => clearInterval(timer);
  }, []);
  return (
    <p class="visually-hidden" role="status" aria-live="polite">
      {said}
    </p>
  );
}

function titleKey(results: Results | null): string {
  if (areFinal(results)) return 'results.final';
  const ended = ['closed', 'sealed', 'final'].includes(results?.state ?? '');
  return ended ? 'results.provisional' : 'results.title';
}

function modeKey(live: LiveResults | null): string {
  return `results.mode.${live?.mode ?? 'connecting'}`;
}
