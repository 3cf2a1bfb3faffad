import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { sleep } from '#common/clock.ts';
import { root } from '../../local/tools.ts';

const records = z.int().min(0);
const balance = z.object({
  accepted: records,
  counted: records,
  duplicate: records,
  replayed: records,
  late: records,
  quarantined: records,
  void: records,
  pending: records,
});

/** How a session's records ended; `accepted` is counted in Kafka, the rest by the ledger. */
export type Balance = z.infer<typeof balance>;

const run = promisify(execFile);
const waitMsMax = 60_000;
const runMsMax = 60_000;

/**
 * Asks the balance command until nothing is pending, for up to a minute. It runs as a process of
 * its own: reading a whole log must not share the crowd's event loop, nor a mistake its memory.
 */
export async function readBalance(sessionId: string): Promise<Balance> {
  const deadline = performance.now() + waitMsMax;
  for (;;) {
    const last = await askBalance(sessionId);
    if (last.pending === 0 || performance.now() > deadline) return last;
    await sleep(500);
  }
}

async function askBalance(sessionId: string): Promise<Balance> {
  const args = [join(root, 'local/cli/balance.ts'), '--session', sessionId, '--json'];
  try {
    const { stdout } = await run(process.execPath, args, { cwd: root, timeout: runMsMax });
    return balance.parse(JSON.parse(stdout));
  } catch (error) {
    // It exits with 1, having printed what it found, when the books do not add up.
    const { stdout } = error as { stdout?: string };
    const found = balance.safeParse(parseJson(stdout ?? ''));
    if (found.success) return found.data;
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`The balance could not be read: ${reason}`, { cause: error });
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
