// npm start: the whole stack on this machine, in the foreground or (--detach) in the background.

import { join } from 'node:path';
import { detach } from './detach.ts';
import { parseOptions } from './options.ts';
import { placesIn } from './places.ts';
import { runStack, Stopped } from './run-stack.ts';
import { listenToSignals } from './signals.ts';
import { summary } from './summary.ts';
import { createTerminal } from './terminal.ts';
import { root } from './tools.ts';

async function main(): Promise<number> {
  const places = placesIn(join(root, '.local'));
  const terminal = createTerminal((text) => process.stdout.write(text));
  // The terminal may go away before we do.
  process.stdout.on('error', () => {});
  process.stderr.on('error', () => {});
  try {
    const options = parseOptions(process.argv.slice(2));
    if (options.detach) return await detach(places, process.argv.slice(2));
    const { stop, kill } = listenToSignals(terminal);
    await runStack({
      options,
      places,
      terminal,
      stop,
      kill,
      onReady: (stack) => {
        process.stdout.write(summary(stack, places, process.send !== undefined));
        process.send?.({ ready: true });
      },
    });
    return 0;
  } catch (error) {
    if (error instanceof Stopped) return 130;
    const reason = error instanceof Error ? error.message : String(error);
    process.send?.({ failed: reason });
    process.stderr.write(`\n${reason}\n`);
    return 1;
  }
}

process.exitCode = await main();
// An IPC channel to the one who detached us would keep this process alive.
if (process.connected) process.disconnect();
