import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { placesIn } from '../../local/places.ts';
import { runStack } from '../../local/run-stack.ts';
import type { StackFile } from '../../local/stack-file.ts';
import { createTerminal } from '../../local/terminal.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** The whole stack, started for this run in a folder of its own; as `.local/stack.json`. */
    stack: StackFile;
  }
}

/** Starts everything as `npm start` does, beside whatever a developer has running. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = mkdtempSync(join(tmpdir(), 'vote-stack-'));
  const stop = new AbortController();
  let ended: Promise<void> = Promise.resolve();
  const stack = await new Promise<StackFile>((resolve, reject) => {
    ended = runStack({
      options: { detach: false, clean: false, demo: false, regions: ['us-east-1'] },
      places: placesIn(folder),
      // Quiet: each process has its log in the folder, which stays when the start fails.
      terminal: createTerminal(() => undefined),
      stop: stop.signal,
      kill: new AbortController().signal,
      onReady: resolve,
    });
    ended.catch(reject);
  });
  project.provide('stack', stack);
  return async () => {
    stop.abort();
    await ended;
    rmSync(folder, { recursive: true, force: true });
  };
}
