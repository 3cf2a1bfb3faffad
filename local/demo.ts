import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { DAY_MS } from '#common/clock.ts';
import { openNewSession } from './open-session.ts';
import type { Login } from './portal-client.ts';
import { writeWhole } from './write-whole.ts';

/** The portal's first admins, who can decide together. */
interface FirstAdmins {
  readonly admin: Login;
  readonly second: Login;
}

/** The demo session, and who administers it. */
export interface Demo extends FirstAdmins {
  readonly session_id: string;
}

interface Addresses {
  readonly edge: string;
  readonly portal: string;
}

const OPEN_DAYS = 7;
const REQUEST_MS_MAX = 5_000;
const VISIBLE_MS_MAX = 15_000;

const sessionAnswer = z.object({ state: z.string() });
const remembered = z.object({ session_id: z.string() });

/**
 * Makes sure that there is an open session to vote in: last time's when it is still open, else a
 * new one, made over HTTP as an admin would. Resolves when voters can see it.
 *
 * @param memory the file that remembers the session between runs
 */
export async function ensureDemo(
  addresses: Addresses,
  { admin, second }: FirstAdmins,
  memory: string,
): Promise<Demo> {
  const known = await rememberedSession(memory);
  if (known !== undefined && (await stateOf(addresses.edge, known)) === 'open') {
    return { session_id: known, admin, second };
  }
  const session = await createSession(addresses.portal, admin);
  await writeWhole(memory, `${JSON.stringify({ session_id: session })}\n`);
  const deadline = performance.now() + VISIBLE_MS_MAX;
  while ((await stateOf(addresses.edge, session)) !== 'open') {
    if (performance.now() > deadline) {
      throw new Error(`The demo session ${session} was opened but the edge does not show it.`);
    }
    await delay(100);
  }
  return { session_id: session, admin, second };
}

async function rememberedSession(memory: string): Promise<string | undefined> {
  try {
    return remembered.parse(JSON.parse(await readFile(memory, 'utf8'))).session_id;
  } catch {
    return undefined;
  }
}

async function stateOf(edge: string, session: string): Promise<string | undefined> {
  const response = await fetch(`${edge}/api/v1/sessions/${session}`, {
    signal: AbortSignal.timeout(REQUEST_MS_MAX),
  });
  const body: unknown = await response.json().catch(() => undefined);
  return response.ok ? sessionAnswer.parse(body).state : undefined;
}

async function createSession(portal: string, admin: Login): Promise<string> {
  const now = Date.now();
  const form = {
    title: 'Song of the year',
    options: [
      { option_id: 'aurora', label: 'Aurora – Northern Lights' },
      { option_id: 'delta', label: 'Delta Choir – River Home' },
      { option_id: 'mira', label: 'Mira – Paper Moon' },
      { option_id: 'tango', label: 'Tango Nuevo – Last Train' },
    ],
    opens_at: new Date(now).toISOString(),
    closes_at: new Date(now + OPEN_DAYS * DAY_MS).toISOString(),
    eligibility: [{ policy: 'code' }, { policy: 'account' }],
    results_policy: 'live',
  };
  try {
    return await openNewSession(portal, admin, form);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`The demo session could not be made. ${reason}`, { cause: error });
  }
}
