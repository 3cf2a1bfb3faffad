import { type Clock, SECOND_MS, sleep } from './clock.ts';
import type { Log } from './log.ts';

/**
 * Does something again and again until the signal aborts, `everyMs` after it last ended, or a
 * second after it failed. A failure is said once, not each time, and so is that it works again;
 * what fails because it was told to end is none.
 */
export async function repeat(
  work: { readonly name: string; readonly everyMs: number; readonly act: () => Promise<void> },
  { clock, log }: { readonly clock: Clock; readonly log: Log },
  signal: AbortSignal,
): Promise<void> {
  let failing = false;
  while (!signal.aborted) {
    try {
      await work.act();
      if (failing) log.info(`${work.name}: works again`);
      failing = false;
    } catch (error) {
      if (signal.aborted) return;
      if (!failing) log.warn({ err: error }, `${work.name}: failed, trying again`);
      failing = true;
    }
    await sleep(failing ? Math.min(SECOND_MS, work.everyMs) : work.everyMs, signal, clock);
  }
}
