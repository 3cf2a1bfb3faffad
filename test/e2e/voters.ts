import { randomBytes, randomUUID } from 'node:crypto';
import { expect, inject, vi } from 'vitest';
import { printableCodes, readVotingCodeKey } from '../../local/cli/codes.ts';
import { type Answer, ask, textOf } from './ask.ts';

export interface Ballot {
  readonly token: string;
  readonly voteId: string;
}

export interface Account {
  readonly email: string;
  readonly password: string;
}

const mailMsMax = 10_000;

/** A fresh voting code of the session. */
export function newCode(sessionId: string): string {
  const key = readVotingCodeKey(inject('stack').secrets);
  const [code = ''] = printableCodes(key, sessionId, 1, randomBytes);
  return code;
}

export function askForBallot(
  sessionId: string,
  by: { code: string } | { accessToken: string },
): Promise<Answer> {
  const path = `/api/v1/sessions/${sessionId}/ballot`;
  return 'code' in by
    ? ask(path, { body: { code: by.code } })
    : ask(path, { method: 'POST', token: by.accessToken });
}

/** A ballot, and the vote id it carries. */
export async function openBallot(
  sessionId: string,
  by: { code: string } | { accessToken: string },
): Promise<Ballot> {
  const answer = await askForBallot(sessionId, by);
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
  const token = textOf(answer, 'ballot_token');
  return { token, voteId: String(claimsOf(token)['vote_id']) };
}

/** A ballot for a fresh code: a voter nobody has seen yet. */
export function newBallot(sessionId: string): Promise<Ballot> {
  return openBallot(sessionId, { code: newCode(sessionId) });
}

export function cast(
  ballotToken: string,
  sessionId: string,
  optionId: string,
  idempotencyKey: string = randomUUID(),
): Promise<Answer> {
  return ask('/api/v1/votes', {
    token: ballotToken,
    headers: { 'idempotency-key': idempotencyKey },
    body: { session_id: sessionId, option_id: optionId, client_metadata: { timezone: 'UTC' } },
  });
}

/** Votes as one more voter, and expects the vote to be accepted. */
export async function castOne(sessionId: string, optionId: string): Promise<void> {
  const { token } = await newBallot(sessionId);
  expect((await cast(token, sessionId, optionId)).status).toBe(201);
}

export function newCredentials(): Account {
  return { email: `voter-${randomUUID()}@example.org`, password: 'four unrelated calm words' };
}

/** An account whose address is confirmed by the link in the mail. */
export async function createAccount(): Promise<Account> {
  const account = newCredentials();
  expect((await ask('/api/v1/auth/register', { body: account })).status).toBe(202);
  const token = new URL(await mailedLink(account.email)).searchParams.get('token');
  expect((await ask('/api/v1/auth/verify', { body: { token } })).status).toBe(200);
  return account;
}

export async function logIn(account: Account): Promise<{ access: string; refresh: string }> {
  const answer = await ask('/api/v1/auth/login', { body: account });
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
  return { access: textOf(answer, 'access_token'), refresh: textOf(answer, 'refresh_token') };
}

/** The link in the newest mail to an address; waits for the mail. */
export function mailedLink(to: string): Promise<string> {
  const url = `${inject('stack').mailbox}/messages?to=${encodeURIComponent(to)}`;
  return vi.waitFor(
    async () => {
      const response = await fetch(url, { headers: { connection: 'close' } });
      const mails = (await response.json()) as { text: string }[];
      const link = /https?:\/\/\S+/.exec(mails[0]?.text ?? '')?.[0];
      expect(link, `a link in a mail to ${to}`).toBeDefined();
      return link ?? '';
    },
    { timeout: mailMsMax, interval: 100 },
  );
}

/** What a token says, read without checking its signature. */
export function claimsOf(token: string): Record<string, unknown> {
  const payload = Buffer.from(token.split('.')[1] ?? '', 'base64url').toString();
  return JSON.parse(payload) as Record<string, unknown>;
}
