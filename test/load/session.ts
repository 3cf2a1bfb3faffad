import { z } from 'zod';
import { sleep } from '#common/clock.ts';
import { openNewSession } from '../../local/open-session.ts';
import type { Target } from './target.ts';

/** What the crowd needs to know of a session. */
export interface Session {
  readonly sessionId: string;
  readonly optionIds: readonly string[];
}

const options = 10;
const requestMsMax = 10_000;
const visibleMsMax = 20_000;
const sessionAnswer = z.object({
  state: z.string(),
  options: z.array(z.object({ option_id: z.string() })),
});

/**
 * Makes and opens a session through the portal, as an admin would, and waits until voters see it.
 * It closes by itself `openS` seconds from now.
 */
export async function createSession(target: Target, openS: number): Promise<Session> {
  const { portal, demo } = target.stack;
  const now = Date.now();
  const form = {
    title: `Load of ${new Date(now).toISOString()}`,
    options: Array.from({ length: options }, (_, number) => ({
      option_id: `option-${number + 1}`,
      label: `Option ${number + 1}`,
    })),
    opens_at: new Date(now).toISOString(),
    closes_at: new Date(now + openS * 1000).toISOString(),
    eligibility: [{ policy: 'code' }],
    results_policy: 'live',
  };
  return readSession(target, await openNewSession(portal, demo.admin, form));
}

/** Waits up to 20 s until the edge shows the session as open. Throws an Error when it does not. */
export async function readSession(target: Target, sessionId: string): Promise<Session> {
  const deadline = performance.now() + visibleMsMax;
  for (;;) {
    const response = await fetch(`${target.stack.edge}/api/v1/sessions/${sessionId}`, {
      signal: AbortSignal.timeout(requestMsMax),
    });
    const body: unknown = await response.json().catch(() => undefined);
    const session = response.ok ? sessionAnswer.parse(body) : undefined;
    if (session?.state === 'open') {
      return { sessionId, optionIds: session.options.map(({ option_id: id }) => id) };
    }
    if (performance.now() > deadline) {
      throw new Error(`The edge does not show session ${sessionId} as open.`);
    }
    await sleep(100);
  }
}
