import { useEffect, useState } from 'preact/hooks';
import { ask, type Problem, problemOf } from './api.ts';
import { wait } from './browser.ts';
import { readSession, readSessions, type Session } from './session.ts';

export type SessionView = {
  /** The chosen one; null while it is not known. */
  session: Session | null;
  /** To choose from when the address names none. */
  choices: readonly Session[];
  /** The session's id, known before the session is. */
  sessionId: string | null;
  problem: Problem | null;
  /** False until the first answer. */
  looked: boolean;
};

/** The state changes at a boundary; the page looks again shortly after, spread over this. */
const boundarySpreadMs = 3000;
const lookMsMin = 1000;
const lookMsMax = 10 * 60_000;
const retryMs = 5000;

/** The voting session the page is about: the named one, or the only one there is. */
export function useSession(named: string | null, choose: (id: string) => void): SessionView {
  const [view, setView] = useState<SessionView>({
    session: null,
    choices: [],
    sessionId: named,
    problem: null,
    looked: false,
  });

  useEffect(() => {
    const leaving = new AbortController();
    async function look(): Promise<number> {
      const found = view.sessionId === null ? await lookForAny() : await lookFor(view.sessionId);
      if (leaving.signal.aborted) return lookMsMax;
      if (found.sessionId !== null && found.sessionId !== view.sessionId) choose(found.sessionId);
      // A failed look leaves what was known in place.
      setView((known) =>
        found.problem === null ? found : { ...known, problem: found.problem, looked: true },
      );
      return nextLookMs(found, Date.now());
    }
    async function keepLooking(): Promise<void> {
      while (!leaving.signal.aborted) await wait(await look());
    }
    void keepLooking();
    return () => leaving.abort();
  }, [view.sessionId]);

  return view;
}

async function lookFor(sessionId: string): Promise<SessionView> {
  const answer = await ask(`/api/v1/sessions/${encodeURIComponent(sessionId)}`);
  return {
    session: readSession(answer),
    choices: [],
    sessionId,
    problem: problemOf(answer),
    looked: true,
  };
}

async function lookForAny(): Promise<SessionView> {
  const answer = await ask('/api/v1/sessions');
  const choices = readSessions(answer) ?? [];
  const open = choices.filter((choice) => choice.state === 'open');
  const only = open.length === 1 ? open[0] : choices.length === 1 ? choices[0] : undefined;
  const sessionId = only?.session_id ?? null;
  return {
    session: only ?? null,
    choices,
    sessionId,
    problem: problemOf(answer),
    looked: true,
  };
}

function nextLookMs(view: SessionView, nowMs: number): number {
  if (view.problem !== null) return retryMs + Math.random() * retryMs;
  const boundaries = [view.session?.opens_at, view.session?.closes_at].map((at) =>
    Date.parse(at ?? ''),
  );
  const next = Math.min(...boundaries.filter((at) => at > nowMs), nowMs + lookMsMax);
  return Math.max(lookMsMin, next - nowMs) + Math.random() * boundarySpreadMs;
}
