import type { Terminal } from './terminal.ts';

/** One Ctrl-C reaches us twice, from the terminal and from npm; a human's second takes longer. */
const SAME_KEY_MS = 1_000;
const PARENT_CHECK_MS = 1_000;

/**
 * Turns signals into two wishes: `stop` (Ctrl-C, SIGTERM, the terminal or npm gone) and `kill`
 * (Ctrl-C again). Whoever was detached has a parent that goes away on purpose.
 */
export function listenToSignals(terminal: Terminal): { stop: AbortSignal; kill: AbortSignal } {
  const stop = new AbortController();
  const kill = new AbortController();
  let stoppedAt = 0;
  const wishStop = (): void => {
    if (!stop.signal.aborted) {
      stoppedAt = performance.now();
      stop.abort();
    }
  };
  process.on('SIGTERM', wishStop);
  process.on('SIGHUP', wishStop);
  process.on('SIGINT', () => {
    if (stop.signal.aborted && performance.now() - stoppedAt > SAME_KEY_MS) {
      terminal.say('ending at once');
      kill.abort();
    }
    wishStop();
  });
  for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
    process.on(event, (error: unknown) => {
      const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
      terminal.say(`a fault in the starter itself: ${what}`);
      process.exitCode = 1;
      wishStop();
    });
  }
  if (process.send === undefined) watchParent(wishStop);
  return { stop: stop.signal, kill: kill.signal };
}

function watchParent(onGone: () => void): void {
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) onGone();
  }, PARENT_CHECK_MS).unref();
}
