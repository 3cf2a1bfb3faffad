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
    /** The whole stack, started for this run in a folder of its own. */
    stack: TestStack;
  }
}

/**
 * As `.local/stack.json`, and where the stack keeps its keys: tests print voting codes with them.
 */
export interface TestStack extends StackFile {
  readonly secrets: string;
}

/** Starts everything as `npm start` does, beside whatever a developer has running. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = mkdtempSync(join(tmpdir(), 'vote-stack-'));
  const places = placesIn(folder);
  const stop = new AbortController();
  let ended: Promise<void> = Promise.resolve();
  const stack = await new Promise<StackFile>((resolve, reject) => {
    ended = runStack({
      options: {
        detach: false,
        clean: false,
        demo: false,
        regions: ['us-east-1'],
        durability: 'single',
      },
      places,
      // Quiet: each process has its log in the folder, which stays when the start fails.
      terminal: createTerminal(() => undefined),
      stop: stop.signal,
      kill: new AbortController().signal,
      onReady: resolve,
    });
    ended.catch(reject);
  });
  project.provide('stack', { ...stack, secrets: places.secrets });
  return async () => {
    stop.abort();
    await ended;
    rmSync(folder, { recursive: true, force: true });
  };
}
