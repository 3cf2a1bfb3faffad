// Prints what this process says of its clock, compared with the peers given as arguments, after two
// seconds: run under faketime by a test.

import { setTimeout as delay } from 'node:timers/promises';
import { systemClock } from '#common/clock.ts';
import { watchClock } from '#common/clock-check.ts';
import { httpPeer } from '#common/clock-peer.ts';
import { createLog } from '#common/log.ts';
import { createRegistry } from '#common/metrics.ts';

const check = watchClock({
  clock: systemClock,
  clockErrorMs: 5,
  clockBoundFile: undefined,
  peers: process.argv.slice(2).map(httpPeer),
  log: createLog({ service: 'test' }, 'error', { write: () => {} }),
  metrics: createRegistry({}),
});
// By the monotonic clock: the time of the wall may be any.
await delay(1000);
process.stdout.write('watching\n');
await delay(1500);
process.stdout.write(`${JSON.stringify(check.notReady())}\n`);
await check.close();
