import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { ask } from '../api.ts';
import { readVoteState, stateRequest } from '../vote-state.ts';
import { useSpeech } from './speaking.ts';

/** Lets a voter ask for the state of the recorded vote, by a button and never on its own. */
export function StateCheck(props: { voteId: string; ballotToken: string }): JSX.Element {
  const { t, has } = useSpeech();
  const [told, setTold] = useState<string | null>(null);

  async function check(): Promise<void> {
    const answer = await ask(...stateRequest(props.voteId, props.ballotToken, null));
    const nothing = answer.kind === 'problem' && answer.problem.status === 404;
    const key = `state.${nothing ? 'none' : readVoteState(answer)?.status}`;
    setTold(has(key) ? key : 'state.unavailable');
  }

  return (
    <>
      <p role="status">{told !== null && t(told)}</p>
      <CheckButton check={check} />
    </>
  );
}

/** A button that asks once at a time. */
export function CheckButton(props: { check: () => Promise<void> }): JSX.Element {
  const { t } = useSpeech();
  const [busy, setBusy] = useState(false);
  function press(): void {
    if (busy) return;
    setBusy(true);
    void props.check().finally(() => setBusy(false));
  }
  return (
    <button type="button" class="quiet" aria-disabled={busy ? 'true' : undefined} onClick={press}>
      {t('receipt.check')}
    </button>
  );
}
