import type { Answer } from './api.ts';

/** `label` is text and never markup. */
export type Option = { option_id: string; label: string };

export type ResultsPolicy = 'live' | 'after_vote' | 'after_close' | 'on_release';

/** A voting session as `GET /sessions/{session_id}` tells it. Times are RFC 3339 UTC. */
export type Session = {
  session_id: string;
  title: string;
  state: string;
  opens_at: string;
  closes_at: string;
  options: readonly Option[];
  eligibility: readonly { policy: string }[];
  results_policy: ResultsPolicy;
  /** Where results are read: another host, or the same when absent. */
  results_url?: string;
};

/** What `POST /sessions/{session_id}/ballot` opens; kept with the vote until that is counted. */
export type Ballot = {
  ballot_token: string;
  session_id: string;
  options: readonly Option[];
  closes_at: string;
  /** Nearest first. Each url is a prefix such as `https://vote.example/r/us-east-1`. */
  regions: readonly { name: string; url: string }[];
  /** When it stops being good for casting, in ms since the epoch by this device's clock. */
  expiresAtMs: number;
};

/** The session of an answer; null when it is none. */
export function readSession(answer: Answer): Session | null {
  if (answer.kind !== 'ok') return null;
  const session = answer.body as Partial<Session>;
  return typeof session.session_id === 'string' ? fill(session) : null;
}

/** The sessions of a list that voters can see something of: open ones first, drafts never. */
export function readSessions(answer: Answer): readonly Session[] | null {
  if (answer.kind !== 'ok') return null;
  const list: unknown = Array.isArray(answer.body)
    ? answer.body
    : (answer.body as Record<string, unknown>)['sessions'];
  if (!Array.isArray(list)) return null;
  return (list as Partial<Session>[])
    .filter((session) => typeof session.session_id === 'string' && session.state !== 'draft')
    .map(fill);
}

/** The ballot of an answer; null when it is none. `nowMs` is this device's clock. */
export function readBallot(answer: Answer, sessionId: string, nowMs: number): Ballot | null {
  if (answer.kind !== 'ok') return null;
  const body = answer.body as Partial<Ballot> & { expires_in?: unknown };
  if (typeof body.ballot_token !== 'string' || !Array.isArray(body.options)) return null;
  const lifetimeS = typeof body.expires_in === 'number' ? body.expires_in : 0;
  return {
    ballot_token: body.ballot_token,
    session_id: sessionId,
    options: body.options,
    closes_at: body.closes_at ?? '',
    // Without a list there is still the address the page came from.
    regions: body.regions?.length ? body.regions : [{ name: 'home', url: '' }],
    expiresAtMs: nowMs + lifetimeS * 1000,
  };
}

/** True when this session can be entered that way; a session that names no way admits every way. */
export function admits(session: Session | null, policy: 'account' | 'code'): boolean {
  const ways = session?.eligibility ?? [];
  return ways.length === 0 || ways.some((way) => way.policy === policy);
}

function fill(session: Partial<Session>): Session {
  return {
    session_id: session.session_id ?? '',
    title: session.title ?? '',
    state: session.state ?? 'open',
    opens_at: session.opens_at ?? '',
    closes_at: session.closes_at ?? '',
    options: session.options ?? [],
    eligibility: session.eligibility ?? [],
    results_policy: session.results_policy ?? 'live',
    ...(session.results_url === undefined ? {} : { results_url: session.results_url }),
  };
}
