import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { ask } from '../api.ts';
import { saveFile, wait } from '../browser.ts';
import { askCountState, followCount } from '../follow-count.ts';
import type { CountState, DuplicateVote, KeptVote, RecordedVote } from '../kept-vote.ts';
import type { Session } from '../session.ts';
import { resultsSource } from '../use-results.ts';
import { Heading } from './layout.tsx';
import { useSpeech } from './speaking.ts';
import { CheckButton, StateCheck } from './state-check.tsx';

type ReceiptProps = {
  vote: RecordedVote;
  sessionId: string;
  session: Session | null;
  update: (kept: KeptVote) => void;
  handOver: () => void;
};

/** The receipt. It never says what was chosen: nobody can ask the voter to show it. */
export function ReceiptView(props: ReceiptProps): JSX.Element {
  const { t } = useSpeech();
  const { vote, session } = props;
  const base = session?.results_url ?? '';
  const [unanswered, setUnanswered] = useState(false);

  function know(count: CountState | null): void {
    if (count === null) return;
    // With an answer on the vote itself there is nothing left to ask, so the ballot is let go.
    props.update({ ...vote, count, ballotToken: count === 'unchecked' ? vote.ballotToken : null });
  }

  async function check(): Promise<void> {
    const count = await askCountState(vote, { ask });
    setUnanswered(count === null);
    know(count);
  }

  useEffect(() => {
    if (vote.count !== null) return;
    const { askSnapshot } = resultsSource(base, props.sessionId, null);
    const world = { askSnapshot, ask, wait, now: Date.now, random: Math.random };
    let left = false;
    async function follow(): Promise<void> {
      const count = await followCount(vote, world);
      if (!left) know(count);
    }
    void follow();
    return () => {
      left = true;
    };
  }, [vote.voteId, base]);

  return (
    <>
      <Heading>{t(vote.receipt === null ? 'receipt.found' : 'receipt.title')}</Heading>
      <section class="receipt" aria-label={t('receipt.label')}>
        <p class="lead">{t('receipt.lead')}</p>
        <dl>
          {session?.title && <Line name={t('receipt.session')} value={session.title} />}
          {vote.confirmationCode !== '' && <CodeLine code={vote.confirmationCode} />}
          <VoteLines voteId={vote.voteId} acceptedAt={vote.acceptedAt} />
        </dl>
        <p role="status" class={vote.count === null ? 'state' : 'state known'}>
          {t(`count.${vote.count ?? 'accepted'}`)}
        </p>
        {vote.ballotToken !== null && vote.count !== null && <CheckButton check={check} />}
        {unanswered && <p role="alert">{t('state.unavailable')}</p>}
        <p class="hint">{t('receipt.keep')}</p>
        {vote.receipt !== null && <SaveButton voteId={vote.voteId} receipt={vote.receipt} />}
        <button type="button" class="quiet" onClick={() => print()}>
          {t('receipt.print')}
        </button>
        <HandOver handOver={props.handOver} />
      </section>
    </>
  );
}

/**
 * A vote of this voter with another choice was there before: it stands, this attempt wrote nothing.
 */
export function DuplicateView(props: { vote: DuplicateVote; handOver: () => void }): JSX.Element {
  const { t } = useSpeech();
  const { vote } = props;
  return (
    <>
      <Heading>{t('duplicate.title')}</Heading>
      <section class="card" aria-label={t('duplicate.label')}>
        <p class="lead">{t('duplicate.lead')}</p>
        <dl>
          <VoteLines voteId={vote.voteId} acceptedAt={vote.acceptedAt} />
        </dl>
        <StateCheck voteId={vote.voteId} ballotToken={vote.ballotToken} />
        <HandOver handOver={props.handOver} />
      </section>
    </>
  );
}

/** The signed receipt as a file: whoever has it can check it, here or elsewhere. */
function SaveButton(props: { voteId: string; receipt: string }): JSX.Element {
  const { t } = useSpeech();
  const save = (): void =>
    saveFile(`receipt-${props.voteId.slice(0, 8)}.txt`, `${props.receipt}\n`);
  return (
    <button type="button" class="quiet" onClick={save}>
      {t('receipt.save')}
    </button>
  );
}

function VoteLines(props: { voteId: string; acceptedAt: string }): JSX.Element {
  const { t, moment } = useSpeech();
  return (
    <>
      <dt>{t('receipt.vote')}</dt>
      <dd>
        <bdi dir="ltr" class="id">
          {props.voteId}
        </bdi>
      </dd>
      <dt>{t('receipt.accepted')}</dt>
      <dd>
        <time dateTime={props.acceptedAt}>{moment(props.acceptedAt)}</time>
      </dd>
    </>
  );
}

function CodeLine(props: { code: string }): JSX.Element {
  const { t } = useSpeech();
  return (
    <>
      <dt>{t('receipt.code')}</dt>
      <dd>
        <bdi dir="ltr" class="confirmation">
          {props.code}
        </bdi>
      </dd>
    </>
  );
}

function Line(props: { name: string; value: string }): JSX.Element {
  return (
    <>
      <dt>{props.name}</dt>
      <dd>
        <bdi>{props.value}</bdi>
      </dd>
    </>
  );
}

/** Families share devices: a second press, after a warning, makes room for the next voter. */
function HandOver(props: { handOver: () => void }): JSX.Element {
  const { t } = useSpeech();
  const [asked, setAsked] = useState(false);
  return (
    <>
      {asked && (
        <p class="notice" role="alert">
          {t('handover.warning')}
        </p>
      )}
      <button type="button" class="quiet" onClick={asked ? props.handOver : () => setAsked(true)}>
        {t(asked ? 'handover.confirm' : 'handover.ask')}
      </button>
    </>
  );
}
