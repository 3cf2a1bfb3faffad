import { useEffect, useRef, useState } from 'preact/hooks';
import { ask, type Problem } from './api.ts';
import { alone, deviceStore, tabStore, wait } from './browser.ts';
import { type KeptVote, keepVote, keptVoteKey, readKeptVote } from './kept-vote.ts';
import { type Opened, openBallot } from './open-ballot.ts';
import { sendVote } from './send-vote.ts';
import type { Ballot } from './session.ts';
import { readObject } from './storage.ts';
import type { SenderState } from './vote-sender.ts';

export type VoteDesk = {
  kept: KeptVote | null;
  ballot: Ballot | null;
  sender: SenderState | null;
  /** Why the last post was refused, when the choice is free again. */
  refusal: Problem | null;
  open: (code: string | null) => Promise<Opened>;
  cast: (optionId: string) => void;
  resume: () => void;
  update: (kept: KeptVote) => void;
  /** Makes room for another voter on this device: the receipt here is forgotten. */
  handOver: () => void;
};

const ballotKey = (sessionId: string): string => `ballot:${sessionId}`;

/** The ballot that this tab has open and may still cast; a reload finds it again. */
export function readOpenBallot(sessionId: string): Ballot | null {
  const ballot = readObject(tabStore, ballotKey(sessionId)) as Ballot | null;
  return ballot !== null && ballot.expiresAtMs > Date.now() ? ballot : null;
}

/** Everything that happens to the vote of this browser in one session. */
export function useVote(sessionId: string | null): VoteDesk {
  // This tab queues behind the one that sends: when that is closed, the vote goes on from here.
  const [kept, setKept] = useKept(sessionId, () => send(null));
  const [ballot, setBallot] = useState(() => openBallotOf(sessionId));
  const [sender, setSender] = useState<SenderState | null>(null);
  // The code stays in memory: a new ballot can be opened with it, a reload asks for it again.
  const code = useRef<string | null>(null);

  function send(choice: { optionId: string; ballot: Ballot } | null): void {
    if (sessionId === null) return;
    setSender(null);
    void sendVote(sessionId, choice, {
      store: deviceStore,
      ask,
      openBallot: () => openBallot(sessionId, code.current, { ask, tabStore, now: Date.now }),
      wait,
      alone,
      random: Math.random,
      uuid: () => crypto.randomUUID(),
      onKept: setKept,
      onState: setSender,
    });
  }

  async function open(typed: string | null): Promise<Opened> {
    // Which vote it is for has not been answered yet.
    if (sessionId === null) return { answer: { kind: 'none' } };
    const opened = await openBallot(sessionId, typed, { ask, tabStore, now: Date.now });
    if (opened === null || !('ballot' in opened)) return opened;
    code.current = typed;
    tabStore.setItem(ballotKey(sessionId), JSON.stringify(opened.ballot));
    setBallot(opened.ballot);
    // A ballot opened while a choice is kept is for that choice: it goes on its way again.
    const waiting = keptOf(sessionId);
    if (waiting?.stage === 'sending') {
      keepVote(deviceStore, sessionId, { ...waiting, ballot: opened.ballot });
      send(null);
    }
    return opened;
  }

  function change(next: KeptVote | null): void {
    if (sessionId !== null) keepVote(deviceStore, sessionId, next);
    setKept(next);
  }

  function handOver(): void {
    change(null);
    if (sessionId !== null) tabStore.removeItem(ballotKey(sessionId));
    code.current = null;
    setBallot(null);
    setSender(null);
  }

  useEffect(() => {
    setBallot(openBallotOf(sessionId));
    if (keptOf(sessionId)?.stage === 'sending') send(null);
  }, [sessionId]);

  const end = sender?.todo.do === 'stop' ? sender.todo.end : null;
  const refusal = end?.kind === 'refused' ? end.problem : null;
  const cast = (optionId: string): void => {
    if (ballot !== null) send({ optionId, ballot });
  };
  const resume = (): void => send(null);
  return { kept, ballot, sender, refusal, open, cast, resume, update: change, handOver };
}

/** What is kept of the vote, following what other tabs do to it. */
function useKept(
  sessionId: string | null,
  onSendingElsewhere: () => void,
): [KeptVote | null, (kept: KeptVote | null) => void] {
  const [kept, setKept] = useState(() => keptOf(sessionId));
  useEffect(() => {
    setKept(keptOf(sessionId));
    let stage = keptOf(sessionId)?.stage;
    function onStorage(event: StorageEvent): void {
      if (event.key !== null && event.key !== keptVoteKey(sessionId ?? '')) return;
      const now = keptOf(sessionId);
      setKept(now);
      if (now?.stage === 'sending' && stage !== 'sending') onSendingElsewhere();
      stage = now?.stage;
    }
    addEventListener('storage', onStorage);
    return () => removeEventListener('storage', onStorage);
  }, [sessionId]);
  return [kept, setKept];
}

function keptOf(sessionId: string | null): KeptVote | null {
  return sessionId === null ? null : readKeptVote(deviceStore, sessionId);
}

function openBallotOf(sessionId: string | null): Ballot | null {
  return sessionId === null ? null : readOpenBallot(sessionId);
}
