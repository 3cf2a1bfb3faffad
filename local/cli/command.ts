import { join } from 'node:path';
import type { SigningKey } from '#common/keys.ts';
import { placesIn } from '../places.ts';
import { type Login, logIn, type PortalClient } from '../portal-client.ts';
import { readStack, type StackFile } from '../stack-file.ts';
import { root } from '../tools.ts';
import { readApprovalKey } from './approval-key.ts';
import { loginOf } from './login-password.ts';

/**
 * Runs a command against the stack of `.local/stack.json`: what goes wrong is one sentence on
 * standard error and exit code 1; a wrong command line brings the usage with it.
 */
export async function runCommand<Options>(
  usage: string,
  parse: (args: readonly string[]) => Options,
  act: (options: Options, stack: StackFile) => Promise<void>,
): Promise<void> {
  try {
    let options: Options;
    try {
      options = parse(process.argv.slice(2));
    } catch (error) {
      // Node's own text goes on about positional arguments: its first sentence is enough.
      throw new Error(`${(error as Error).message.split('. ')[0]}.\n${usage}`, { cause: error });
    }
    const stack = readStack(placesIn(join(root, '.local')).stack);
    if (stack === undefined) throw new Error('No stack is ready here. Start it with: npm start');
    await act(options, stack);
  } catch (error) {
    const { message, code } = error as { message: string; code?: unknown };
    const isAway = code === 'ECONNREFUSED';
    process.stderr.write(`${isAway ? "The stack's stores do not answer." : message}\n`);
    process.exitCode = 1;
  }
}

/** Whose passwords the local stack knows: the two first admins'. */
export function firstAdminsOf({ demo }: StackFile): readonly Login[] {
  return [demo.admin, demo.second];
}

/** Somebody with a key of his own, logged in to the portal. */
export async function signerOf(
  stack: StackFile,
  keyFile: string,
  passwordFile: string | undefined,
): Promise<{ readonly client: PortalClient; readonly key: SigningKey }> {
  const { email, key } = readApprovalKey(keyFile);
  const login = await loginOf(email, passwordFile, firstAdminsOf(stack));
  return { client: await logIn(stack.portal, login), key };
}
