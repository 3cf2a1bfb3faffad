import { afterAll, expect } from 'vitest';
import { sleep } from '#common/clock.ts';

/**
 * A file that leaves a listener or a connection open fails: in production the same line would leak.
 * Registered before the file's own hooks, so it runs after them.
 */
const leakable = new Set(['TCPSocketWrap', 'TCPServerWrap']);
const closingMsMax = 2000;

function open(): string[] {
  return process.getActiveResourcesInfo().filter((kind) => leakable.has(kind));
}

const before = open().length;

afterAll(async () => {
  const deadlineMs = performance.now() + closingMsMax;
  while (open().length > before && performance.now() < deadlineMs) await sleep(20);
  expect(open().slice(before), 'sockets and servers left open by this file').toEqual([]);
});
