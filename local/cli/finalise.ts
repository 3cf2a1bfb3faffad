// npm run finalise -- --session ID --key FILE: recount a result and sign it; two make it final.

import { parseArgs } from 'node:util';
import { systemClock } from '#common/clock.ts';
import { isUuid } from '#common/uuid.ts';
import { runCommand, signerOf } from './command.ts';
import { finaliseSession } from './finalise-session.ts';
import { recountSession, recountSources } from './recount/recount-session.ts';

const usage = `Usage: npm run finalise -- --session ID --key FILE [--password-file FILE]
  --session ID           the voting session (a UUID), closed and sealed
  --key FILE             your own key, made by npm run approve -- key
  --password-file FILE   your password for the portal; asked for when not given
Another person runs the same with his key, and his own recount.`;

/** Reads the command line. Throws an Error with one sentence. */
export function parseFinaliseOptions(args: readonly string[]) {
  const { values } = parseArgs({
    args: [...args],
    allowPositionals: false,
    options: {
      session: { type: 'string' },
      key: { type: 'string' },
      'password-file': { type: 'string' },
    },
  });
  const { session: sessionId, key, 'password-file': passwordFile } = values;
  if (sessionId === undefined) throw new Error('--session is missing');
  if (!isUuid(sessionId)) throw new Error(`--session must be a UUID, not "${values.session}"`);
  if (key === undefined) throw new Error('--key is missing');
  return { sessionId, key, passwordFile };
}

if (import.meta.main) {
  await runCommand(usage, parseFinaliseOptions, async ({ sessionId, key, passwordFile }, stack) => {
    const signer = await signerOf(stack, key, passwordFile);
    const { postgres, regions } = stack;
    const stores = { postgres, regions, topicPrefix: '' };
    await finaliseSession(
      {
        ...signer,
        recount: () => recountSession(stores, sessionId, { sources: recountSources }),
        write: (text) => void process.stdout.write(text),
        clock: systemClock,
        resultsUrl: stack.edge,
      },
      sessionId,
    );
  });
}
