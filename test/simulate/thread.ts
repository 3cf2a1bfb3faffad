import { parentPort, workerData } from 'node:worker_threads';
import { runShare, type Share } from './share.ts';

// Refusals are made by the thousand, and nobody reads where.
Error.stackTraceLimit = 0;

const result = await runShare(workerData as Share);
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a port has none
parentPort!.postMessage(result);
