// npm run approve -- key|admin|sign|void|restore: who may decide; acts without a command.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { actHash, actVotesMax, isActHash, parseAct, type VoidAct } from '#common/contracts/act.ts';
import { isUuid } from '#common/uuid.ts';
import { placesIn } from '../places.ts';
import { logIn } from '../portal-client.ts';
import type { StackFile } from '../stack-file.ts';
import { root } from '../tools.ts';
import { ensureApprovalKey } from './approval-key.ts';
import { firstAdminsOf, runCommand, signerOf } from './command.ts';
import { loginOf } from './login-password.ts';
import { explainWaiting, submitAct } from './submit-act.ts';

const usage = `Usage: npm run approve -- COMMAND
  admin --email E --new-password-file FILE [--as E] [--password-file FILE]
        make another admin, as admin@vote.localhost unless --as says who you are
  key --email E [--key FILE] [--password-file FILE]
        make your key (0600; default .local/approval-keys/E.jwk) and register its public half
  sign --act HASH --key FILE [--password-file FILE]
        sign what somebody else proposed; it is shown first
  void|restore --session ID --votes FILE --reason TEXT --key FILE [--password-file FILE]
        take counted votes out, or put them back: vote ids, one a line, at most ${actVotesMax}
Two decide: the two first admins (here admin@ and notary@vote.localhost), or people whose accounts
come from two different ones. Of the first admins the local stack knows the passwords.`;

const commands = ['admin', 'key', 'sign', 'void', 'restore'] as const;
const needed = {
  admin: ['email', 'new-password-file'],
  key: ['email'],
  sign: ['act', 'key'],
  void: ['session', 'votes', 'reason', 'key'],
  restore: ['session', 'votes', 'reason', 'key'],
} as const;

const options = {
  email: { type: 'string' },
  as: { type: 'string' },
  key: { type: 'string' },
  act: { type: 'string' },
  session: { type: 'string' },
  votes: { type: 'string' },
  reason: { type: 'string' },
  'password-file': { type: 'string' },
  'new-password-file': { type: 'string' },
} as const;

type Values = { readonly [Name in keyof typeof options]?: string | undefined };
export interface ApproveOptions {
  readonly command: (typeof commands)[number];
  readonly values: Values;
}

/** Reads the command line. Throws an Error with one sentence. */
export function parseApproveOptions(args: readonly string[]): ApproveOptions {
  const { positionals, values } = parseArgs({ args: [...args], allowPositionals: true, options });
  const command = commands.find((name) => name === positionals[0]);
  if (command === undefined || positionals.length !== 1) {
    throw new Error(`Say what to do: ${commands.join(', ')}`);
  }
  const missing = needed[command].find((name) => values[name] === undefined);
  if (missing !== undefined) throw new Error(`--${missing} is missing`);
  const { session } = values;
  if (session !== undefined && !isUuid(session)) {
    throw new Error(`--session must be a UUID, not "${values.session}"`);
  }
  if (values.act !== undefined && !isActHash(values.act)) {
    throw new Error('--act must be 64 hexadecimal digits in lower case');
  }
  return { command, values };
}

/** Vote ids of a file, in order and each once. Throws an Error with one sentence. */
export function readVoteIds(content: string): string[] {
  const ids = content.split(/\s+/).filter((line) => line !== '');
  const wrongAt = ids.findIndex((id) => !isUuid(id));
  if (wrongAt >= 0) throw new Error(`"${ids[wrongAt]}" is not a vote id.`);
  const each = [...new Set(ids)].toSorted();
  if (each.length === 0 || each.length > actVotesMax) {
    throw new Error(`An act names 1 to ${actVotesMax} votes, not ${each.length}.`);
  }
  return each;
}

async function makeAdmin(values: Values, stack: StackFile): Promise<string> {
  const as = values.as ?? stack.demo.admin.email;
  const login = await loginOf(as, values['password-file'], firstAdminsOf(stack));
  const client = await logIn(stack.portal, login);
  const password = readFileSync(values['new-password-file']!, 'utf8').trim();
  const made = await client.post<{ email: string }>('/admins', { email: values.email, password });
  return `${made.email} is an admin.\n`;
}

async function makeKey(values: Values, stack: StackFile): Promise<string> {
  const email = values.email!.toLowerCase();
  const login = await loginOf(email, values['password-file'], firstAdminsOf(stack));
  const client = await logIn(stack.portal, login);
  const folder = join(placesIn(join(root, '.local')).local, 'approval-keys');
  const path = values.key ?? join(folder, `${email.replaceAll(/[^\w.@-]/g, '_')}.jwk`);
  const { key } = await ensureApprovalKey(path, email);
  await client.post('/approval-keys', { x: key.publicJwk.x });
  return `The key ${key.kid} of ${email} is registered. Keep ${path} to yourself.\n`;
}

async function sign(values: Values, stack: StackFile): Promise<string> {
  const { client, key } = await signerOf(stack, values.key!, values['password-file']);
  const { body } = await client.get<{ body: string }>(`/acts/${values.act!}`);
  const act = parseAct(body);
  // What is signed is what is shown, whatever the portal says.
  if (act === undefined || actHash(body) !== values.act) {
    throw new Error('The portal showed another act than the one that was asked for.');
  }
  process.stdout.write(`${JSON.stringify(act, null, 2)}\n`);
  const submitted = await submitAct(client, act, key);
  return submitted.state === 'agreed'
    ? `Two people agree. act ${submitted.hash}\n`
    : explainWaiting(submitted);
}

async function moveVotes(kind: VoidAct['act'], values: Values, stack: StackFile): Promise<string> {
  const vote_ids = readVoteIds(readFileSync(values.votes!, 'utf8'));
  const { client, key } = await signerOf(stack, values.key!, values['password-file']);
  const session_id = values.session!;
  const { corrections } = await client.get<{ corrections: readonly unknown[] }>(
    `/sessions/${session_id}/finality`,
  );
  const reason = values.reason!.trim();
  const act = { act: kind, session_id, corrections: corrections.length, vote_ids, reason };
  const submitted = await submitAct(client, act, key);
  return submitted.state === 'agreed'
    ? `Two people agree: ${vote_ids.length} votes ${kind === 'void' ? 'taken out' : 'put back'}.\n`
    : explainWaiting(submitted);
}

function run({ command, values }: ApproveOptions, stack: StackFile): Promise<string> {
  switch (command) {
    case 'admin':
      return makeAdmin(values, stack);
    case 'key':
      return makeKey(values, stack);
    case 'sign':
      return sign(values, stack);
    case 'void':
    case 'restore':
      return moveVotes(command, values, stack);
  }
}

if (import.meta.main) {
  await runCommand(usage, parseApproveOptions, async (given, stack) => {
    process.stdout.write(await run(given, stack));
  });
}
