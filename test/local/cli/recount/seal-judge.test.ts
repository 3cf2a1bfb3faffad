import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { encodeSeal, type Seal } from '#common/contracts/seal.ts';
import { importPublicKeys } from '#common/keys.ts';
import type { LogRecord } from '#common/log-reader.ts';
import { sealJudge } from '../../../../local/cli/recount/seal-judge.ts';
import { createSigningKey } from '../../../support/votes.ts';

const closesAtMs = 1_790_000_000_000;
const sessionId = randomUUID();
const east = createSigningKey();
const eastBefore = createSigningKey();
const west = createSigningKey();
const keysOf = new Map([
  ['us-east-1', importPublicKeys([eastBefore.publicJwk, east.publicJwk])],
  ['us-west-2', importPublicKeys([west.publicJwk])],
]);
const isSeal = sealJudge({ session_id: sessionId, closes_at: new Date(closesAtMs) }, keysOf);

const place = { log: 'us-east-1', partition: 4 };
const seal: Seal = {
  sessionId,
  ...place,
  sessionVersion: 1,
  closesAtMs,
  sealedAtMs: closesAtMs + 5100,
};
const record = (value: Buffer | null) => ({ value }) as LogRecord;
const judged = (changes: Partial<Seal>, key = east, at = place): boolean =>
  isSeal(record(encodeSeal({ ...seal, ...changes }, key)), at);

test("a seal counts where it lies, by any key that the log's region has had", () => {
  expect(judged({})).toBe(true);
  expect(judged({}, eastBefore)).toBe(true);
});

test("a standby's log is sealed by the region that hosts it, not by the one it stands for", () => {
  const standby = { log: 'us-west-2@us-east-1', partition: 4 };
  expect(judged(standby, east, standby)).toBe(true);
  expect(judged(standby, west, standby)).toBe(false);
});

test.each<[string, boolean]>([
  ["another region's key", judged({}, west)],
  ['a key that nobody knows', judged({}, createSigningKey())],
  ['another partition', judged({ partition: 5 })],
  ['another log', judged({ log: 'us-west-2' }, east)],
  ['another session', judged({ sessionId: randomUUID() })],
  ['a closing time before it was moved', judged({ closesAtMs: closesAtMs - 1 })],
  [
    'a region without any key',
    judged({ log: 'eu-west-1' }, east, { log: 'eu-west-1', partition: 4 }),
  ],
])('what was sealed by or for %s is no seal here', (_case, verdict) => {
  expect(verdict).toBe(false);
});

test('what is no seal, or was changed after it was signed, is none', () => {
  const bytes = encodeSeal(seal, east);
  // The last byte of sealed_at: signed, and nothing else looks at it.
  const changed = Buffer.from(bytes);
  changed[bytes.length - 73]! ^= 1;
  for (const value of [null, Buffer.alloc(0), bytes.subarray(0, 50), changed]) {
    expect(isSeal(record(value), place)).toBe(false);
  }
});
