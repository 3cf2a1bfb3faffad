// npm stop: asks the supervisor to end the stack in order and waits until it has.

import { join } from 'node:path';
import { waitUntil } from './child.ts';
import { lockHolder } from './lock.ts';
import { placesIn } from './places.ts';
import { root } from './tools.ts';

// Three layers (edge, services, stores) of at most 20 s each.
const STOP_MS_MAX = 70_000;

const { lock } = placesIn(join(root, '.local'));
const pid = lockHolder(lock);
if (pid === undefined) {
  console.log('No stack is running here.');
} else {
  process.kill(pid, 'SIGTERM');
  console.log(`Ending the stack (pid ${pid}) ...`);
  const isGone = await waitUntil(async () => lockHolder(lock) !== pid, STOP_MS_MAX);
  console.log(isGone ? 'Ended.' : `It did not end within ${STOP_MS_MAX / 1000} s: see pid ${pid}.`);
  process.exitCode = isGone ? 0 : 1;
}
