import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { actBody, type FinaliseAct, importApprovalKeys, signAct } from '#common/contracts/act.ts';
import { encodeStatement, finalRecord } from '#common/contracts/final.ts';
import { encodeSeal } from '#common/contracts/seal.ts';
import { voteRecordKey } from '#common/contracts/vote-submitted.ts';
import { importPublicKeys, type SigningKey } from '#common/keys.ts';
import { decodeRecords, toCountBatch } from '../../../regional-core/ledger/batch.ts';
import { createControlCheck } from '../../../regional-core/ledger/check-controls.ts';
import { createSigningKey } from '../../support/votes.ts';

const [sealKey, one, two] = [createSigningKey(), createSigningKey(), createSigningKey()];
const digest = 'ab'.repeat(32);
const check = createControlCheck({
  logName: 'us-east-1',
  sealKeys: () => Promise.resolve(importPublicKeys([sealKey.publicJwk])),
  approvalKeys: () =>
    Promise.resolve(
      importApprovalKeys([
        { x: one.publicJwk.x, adminId: 'one' },
        { x: two.publicJwk.x, adminId: 'two' },
      ]),
    ),
});
const sessionId = randomUUID();
const key = voteRecordKey(sessionId);

function seal(partition: number, signer: SigningKey, log = 'us-east-1'): Buffer {
  const closesAtMs = 1_800_000_000_000;
  const facts = { sessionId, log, partition, sessionVersion: 1, closesAtMs };
  return encodeSeal({ ...facts, sealedAtMs: closesAtMs + 6000 }, signer);
}

function final(of: string, signers: readonly [SigningKey, SigningKey]): Buffer {
  const act: FinaliseAct = {
    act: 'finalise',
    session_id: of,
    session_version: 1,
    digest,
    total: 3,
    counts: [1, 2],
    recounts: { rows: digest, tallies: 'equal', kafka: digest },
    covers: {},
  };
  const body = actBody(act);
  return finalRecord(encodeStatement(body, [signAct(body, signers[0]), signAct(body, signers[1])]));
}

/** What becomes of values that lie in partition 4, in this order. */
async function judge(...values: Buffer[]) {
  const records = values.map((value, offset) => ({ offset, key, value }));
  const part = { partition: 4, from: 0, next: values.length, logEnd: values.length, records };
  const decoded = decodeRecords([part]);
  const controls = await check(decoded.controls);
  return toCountBatch(decoded, { votes: [], controls });
}

test('seals and final statements by those who may are counted as such', async () => {
  const batch = await judge(seal(4, sealKey), final(sessionId, [one, two]));
  expect(batch.unreadable.reason).toEqual([]);
  expect(batch.seals).toMatchObject([{ sessionId, partition: 4, offset: 0, kid: sealKey.kid }]);
  expect(batch.finals).toMatchObject([{ sessionId, partition: 4, offset: 1, digest }]);
  // The statement is kept as it stands in the log, without the record's kind.
  expect(JSON.parse(batch.finals[0]!.statement.toString())).toHaveProperty('signatures');
});

test('one by others, of another place, or that is none, is quarantined whole', async () => {
  const values = [
    seal(4, one),
    seal(5, sealKey),
    seal(4, sealKey, 'us-west-2'),
    final(randomUUID(), [one, two]),
    final(sessionId, [one, sealKey]),
    Buffer.from([2, 1]),
    Buffer.from([3, 123]),
    Buffer.from([9]),
  ];
  const batch = await judge(...values);
  expect([batch.seals, batch.finals, batch.votes.offset]).toEqual([[], [], []]);
  const { offset, reason, value, sessionId: of } = batch.unreadable;
  const found = offset.map((at, index) => [at, reason[index]] as const);
  expect(found.toSorted(([a], [b]) => a - b)).toEqual([
    [0, 'seal by an unknown key'],
    [1, 'seal of another place'],
    [2, 'seal of another place'],
    [3, 'result of another session'],
    [4, 'final statement is not agreed: unknown_key'],
    [5, 'not a seal'],
    [6, 'not a final statement'],
    [7, 'value has not 125 bytes'],
  ]);
  expect(new Set(value)).toEqual(new Set(values));
  expect(new Set(of)).toEqual(new Set([sessionId]));
});
