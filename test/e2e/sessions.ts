import { expect, inject, vi } from 'vitest';
import { ask } from './ask.ts';
import { cast, newCode, openBallot } from './voters.ts';

export interface SessionWish {
  readonly title?: string;
  readonly policies?: readonly ('account' | 'code')[];
  readonly resultsPolicy?: 'live' | 'after_vote' | 'after_close' | 'on_release';
  /** From now; a session that opens later is scheduled. */
  readonly opensInMs?: number;
  readonly closesInMs?: number;
  readonly labels?: readonly string[];
}

export const options = [
  { option_id: 'aurora', label: 'Aurora' },
  { option_id: 'delta', label: 'Delta Choir' },
  { option_id: 'mira', label: 'Mira – Paper Moon' },
] as const;

const hourMs = 60 * 60 * 1000;
const knownMsMax = 15_000;

/**
 * A session made in the portal as an admin would; resolves to its id when every service knows it.
 */
export async function createSession(wish: SessionWish = {}): Promise<string> {
  const { title = 'Song of the test', policies = ['code', 'account'] } = wish;
  const now = Date.now();
  const created = await adminPost('/sessions', {
    title,
    options: wish.labels?.map((label) => ({ label })) ?? options,
    opens_at: new Date(now + (wish.opensInMs ?? 0)).toISOString(),
    closes_at: new Date(now + (wish.closesInMs ?? hourMs)).toISOString(),
    eligibility: policies.map((policy) => ({ policy })),
    results_policy: wish.resultsPolicy ?? 'live',
  });
  const sessionId = String(created['session_id']);
  await vi.waitFor(() => expectKnown(sessionId, policies.includes('code')), {
    timeout: knownMsMax,
    interval: 100,
  });
  return sessionId;
}

/** Closes it in the portal: in force ten seconds later. */
export async function closeSession(sessionId: string): Promise<void> {
  await adminPost(`/sessions/${sessionId}/close`, {});
}

/**
 * Identity, results and intake hear of a session one by one; the page may meet any of them first.
 */
async function expectKnown(sessionId: string, byCode: boolean): Promise<void> {
  expect((await ask(`/api/v1/sessions/${sessionId}`)).status).toBe(200);
  expect((await ask(`/api/v1/results/${sessionId}`)).status).toBe(200);
  if (!byCode) return;
  const { token } = await openBallot(sessionId, { code: newCode(sessionId) });
  // An option that does not exist is refused by whoever knows the session, and writes nothing.
  expect((await cast(token, sessionId, 'nobody')).status).not.toBe(503);
}

export async function untilState(sessionId: string, state: string, msMax: number): Promise<void> {
  await vi.waitFor(
    async () => {
      const { body } = await ask(`/api/v1/sessions/${sessionId}`);
      expect(body['state']).toBe(state);
    },
    { timeout: msMax, interval: 100 },
  );
}

let login: Promise<string> | undefined;

async function adminPost(path: string, body: unknown): Promise<Record<string, unknown>> {
  login ??= logIn();
  const response = await post(path, body, await login);
  expect(response.ok, `${path}: ${response.status}`).toBe(true);
  return (await response.json()) as Record<string, unknown>;
}

/** The admin's login of this file, as a Cookie header. */
async function logIn(): Promise<string> {
  const response = await post('/login', inject('stack').demo.admin, '');
  await response.arrayBuffer();
  const cookies = response.headers.getSetCookie().map((line) => line.split(';')[0]);
  expect(cookies).toEqual([expect.stringMatching(/^__Host-/)]);
  return cookies.join('; ');
}

function post(path: string, body: unknown, cookie: string): Promise<Response> {
  const { portal } = inject('stack');
  return fetch(`${portal}/admin/api/v1${path}`, {
    method: 'POST',
    headers: {
      connection: 'close',
      'content-type': 'application/json',
      origin: portal,
      ...(cookie === '' ? {} : { cookie }),
    },
    body: JSON.stringify(body),
  });
}
