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
  const [kept, setKept] = useState<KeptVote | null>(() => read(sessionId));
  const [ballot, setBallot] = useState(() => sessionId && readOpenBallot(sessionId));
  const [sender, setSender] = useState<SenderState | null>(null);
  // The code stays in memory: a new ballot can be opened with it, a reload asks for it again.
  const code = useRef<string | null>(null);

  async function open(typed: string | null): Promise<Opened> {
    // Which vote it is for has not been answered yet.
    if (sessionId === null) return { answer: { kind: 'none' } };
    const opened = await openBallot(sessionId, typed, { ask, tabStore, now: Date.now });
    if (opened !== null && 'ballot' in opened) {
      code.current = typed;
      tabStore.setItem(ballotKey(sessionId), JSON.stringify(opened.ballot));
      setBallot(opened.ballot);
      adopt(sessionId, opened.ballot);
    }
    return opened;
  }

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

  /** A ballot opened while a choice is kept is for that choice: it goes on its way again. */
  function adopt(id: string, opened: Ballot): void {
    const waiting = read(id);
    if (waiting?.stage !== 'sending') return;
    keepVote(deviceStore, id, { ...waiting, ballot: opened });
    send(null);
  }

  useEffect(() => {
    if (sessionId === null) return;
    setKept(read(sessionId));
    setBallot(readOpenBallot(sessionId));
    if (read(sessionId)?.stage === 'sending') send(null);
    function onStorage(event: StorageEvent): void {
      if (event.key === null || event.key === keptVoteKey(sessionId ?? ''))
        setKept(read(sessionId));
    }
    addEventListener('storage', onStorage);
    return () => removeEventListener('storage', onStorage);
  }, [sessionId]);

  const end = sender?.todo.do === 'stop' ? sender.todo.end : null;
  return {
    kept,
    ballot: ballot || null,
    sender,
    refusal: end?.kind === 'refused' ? end.problem : null,
    open,
    cast: (optionId) => ballot && send({ optionId, ballot }),
    resume: () => send(null),
    update(next) {
      if (sessionId !== null) keepVote(deviceStore, sessionId, next);
      setKept(next);
    },
    handOver() {
      if (sessionId === null) return;
      keepVote(deviceStore, sessionId, null);
      tabStore.removeItem(ballotKey(sessionId));
      code.current = null;
      setKept(null);
      setBallot(null);
      setSender(null);
    },
  };
}

function read(sessionId: string | null): KeptVote | null {
  return sessionId === null ? null : readKeptVote(deviceStore, sessionId);
}
