import { describe, expect, test } from 'vitest';
import {
  actBody,
  actHash,
  type FinaliseAct,
  importApprovalKeys,
  signAct,
} from '#common/contracts/act.ts';
import {
  decodeFinalRecord,
  decodeStatement,
  encodeStatement,
  finalRecord,
  finalRecordBytesMax,
  verifyStatement,
} from '#common/contracts/final.ts';
import { createSigningKey } from '../../../support/votes.ts';

const digest = '5e'.repeat(32);
const act: FinaliseAct = {
  act: 'finalise',
  session_id: '3b241101-e2bb-4255-8caf-4136c566a962',
  session_version: 2,
  digest,
  total: 3,
  counts: [1, 2],
  recounts: { rows: digest, tallies: 'equal', kafka: digest },
  covers: { 'us-east-1': [3] },
};
const body = actBody(act);
const [anna, ben] = [createSigningKey(), createSigningKey()];
const keys = importApprovalKeys([
  { x: anna.publicJwk.x, adminId: 'anna' },
  { x: ben.publicJwk.x, adminId: 'ben' },
]);
const signatures = [signAct(body, anna), signAct(body, ben)];

describe('the final statement', () => {
  test('is read back from its record, and its two signatures hold', () => {
    const statement = decodeFinalRecord(finalRecord(encodeStatement(body, signatures)))!;
    expect(statement).toMatchObject({ act, body, hash: actHash(body) });
    expect(verifyStatement(statement, keys)).toEqual({ ok: true });
  });

  test('is the same bytes whoever signed first', () => {
    expect(encodeStatement(body, signatures.toReversed())).toEqual(
      encodeStatement(body, signatures),
    );
  });

  test('with the largest act there is fits the record', () => {
    const partitions = Array.from({ length: 60 }, () => Number.MAX_SAFE_INTEGER);
    const logs = Array.from({ length: 32 }, (_, no) => [`region-${no}@host`, partitions]);
    const large = actBody({ ...act, covers: Object.fromEntries(logs) });
    const record = finalRecord(encodeStatement(large, signatures));
    expect(record.length).toBeLessThan(finalRecordBytesMax);
    expect(decodeFinalRecord(record)?.body).toBe(large);
  });

  test('by somebody unknown is not believed', () => {
    const forged = encodeStatement(body, [signatures[0]!, signAct(body, createSigningKey())]);
    expect(verifyStatement(decodeStatement(forged)!, keys)).toEqual({
      ok: false,
      reason: 'unknown_key',
    });
  });

  test('cannot be made of another act, or of one signature', () => {
    const lost = actBody({ act: 'declare_lost', region: 'us-east-1', epoch: 1 });
    expect(() => encodeStatement(lost, signatures)).toThrow(TypeError);
    expect(() => encodeStatement(body, signatures.slice(1))).toThrow(TypeError);
  });

  test.each<[string, unknown]>([
    ['null', null],
    ['no act', { signatures }],
    ['an act of another form', { act: ` ${body}`, signatures }],
    [
      'an act of another kind',
      { act: actBody({ act: 'declare_lost', region: 'a', epoch: 1 }), signatures },
    ],
    ['no signatures', { act: body }],
    ['a third signature', { act: body, signatures: [...signatures, signatures[0]] }],
    ['signatures of another form', { act: body, signatures: [1, 2] }],
  ])('%s is none', (_case, value) => {
    expect(decodeStatement(Buffer.from(JSON.stringify(value)))).toBeUndefined();
  });

  test('a record of another kind is none, nor one that is too long', () => {
    const statement = encodeStatement(body, signatures);
    expect(decodeFinalRecord(Buffer.concat([Uint8Array.of(2), statement]))).toBeUndefined();
    expect(decodeFinalRecord(Buffer.alloc(0))).toBeUndefined();
    const padded = Buffer.concat([statement, Buffer.alloc(finalRecordBytesMax, ' ')]);
    expect(decodeStatement(padded)).toBeUndefined();
  });
});
