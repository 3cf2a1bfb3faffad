import type { JSX, TargetedSubmitEvent } from 'preact';
import { useState } from 'preact/hooks';
import { type Problem, textMember } from '../api.ts';
import { formText } from '../form-text.ts';
import type { Ballot, Session } from '../session.ts';
import { Heading } from './layout.tsx';
import { FieldSummary, ProblemSummary } from './problem.tsx';
import { SessionTimes } from './sessions.tsx';
import { useSpeech } from './speaking.ts';
import { StateCheck } from './state-check.tsx';

type BallotProps = {
  session: Session | null;
  ballot: Ballot;
  /** Why the last attempt was refused; it recorded nothing, so the choice is free. */
  refusal: Problem | null;
  cast: (optionId: string) => void;
  /** Lets somebody else, or the same person with another code, start again. */
  handOver: () => void;
};

/** The ballot: choose one, then press Vote. Nothing here changes while results come in. */
export function BallotForm(props: BallotProps): JSX.Element {
  const { t } = useSpeech();
  const [missing, setMissing] = useState(false);
  const { ballot } = props;

  function submit(event: TargetedSubmitEvent<HTMLFormElement>): void {
    event.preventDefault();
    const choice = formText(event.currentTarget, 'option');
    setMissing(choice === '');
    if (choice !== '') props.cast(choice);
  }

  // After closing there is nothing to choose; a vote sent earlier, or elsewhere, can be asked for.
  const closed = props.refusal?.error === 'session_closed' ? props.refusal : null;
  return (
    <>
      <Heading>{props.session?.title || t('ballot.title')}</Heading>
      {missing && <FieldSummary faults={[{ field: 'option-0', text: t('ballot.missing') }]} />}
      {props.refusal !== null && <ProblemSummary problem={props.refusal} standing="refused" />}
      {props.session !== null && <SessionTimes session={props.session} />}
      {closed === null ? (
        <form class="card" method="dialog" onSubmit={submit}>
          <fieldset aria-describedby="ballot-hint">
            <legend>{t('ballot.legend')}</legend>
            <p class="hint" id="ballot-hint">
              {t('ballot.hint')}
            </p>
            {ballot.options.map((option, place) => (
              <label key={option.option_id} class="option" for={`option-${place}`}>
                <input type="radio" id={`option-${place}`} name="option" value={option.option_id} />
                <bdi>{option.label}</bdi>
              </label>
            ))}
          </fieldset>
          <button type="submit" class="vote">
            {t('ballot.vote')}
          </button>
        </form>
      ) : (
        <StateCheck voteId={textMember(closed, 'vote_id')} ballotToken={ballot.ballot_token} />
      )}
      <button type="button" class="quiet" onClick={props.handOver}>
        {t('ballot.leave')}
      </button>
    </>
  );
}
