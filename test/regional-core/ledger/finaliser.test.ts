import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { actBody, type FinaliseAct, importApprovalKeys, signAct } from '#common/contracts/act.ts';
import { decodeFinalRecord, verifyStatement } from '#common/contracts/final.ts';
import { type DatabaseRecount, Finaliser } from '../../../regional-core/ledger/finaliser.ts';
import { createSigningKey } from '../../support/votes.ts';
import { ManualClock } from './manual-clock.ts';

const digest = 'ab'.repeat(32);
const [one, two] = [createSigningKey(), createSigningKey()];
const registered = importApprovalKeys([
  { x: one.publicJwk.x, adminId: 'one' },
  { x: two.publicJwk.x, adminId: 'two' },
]);
const ours: DatabaseRecount = { digest, rows: [3, 4], tallies: [3, 4] };

function finaliserUnderTest(recounted: DatabaseRecount, { holdsFirst = true, newer = '' } = {}) {
  const clock = new ManualClock(1_800_000_000_000);
  const act: FinaliseAct = {
    act: 'finalise',
    session_id: randomUUID(),
    session_version: 3,
    digest,
    total: 7,
    counts: [3, 4],
    recounts: { rows: digest, tallies: 'equal', kafka: digest },
    covers: { 'us-east-1': [7] },
  };
  const body = actBody(act).replace('"act":"finalise"', `"act":"finalise${newer}"`);
  const signatures = [signAct(body, one), signAct(body, two)];
  const said: string[] = [];
  const written: { partition: number; value: Buffer }[] = [];
  const finaliser = new Finaliser({
    listAgreed: () => Promise.resolve([{ sessionNo: 1, body, signatures }]),
    recount: () => Promise.resolve(recounted),
    append: (partition, _key, value) => {
      written.push({ partition, value });
      return Promise.resolve();
    },
    holdsFirst: () => holdsFirst,
    clock,
    log: { error: (_: object, text: string) => said.push(text) } as never,
  });
  return { finaliser, written, said, clock };
}

test('writes what two people agreed on to partition 0, once, and again when it is not read', async () => {
  const { finaliser, written, clock } = finaliserUnderTest(ours);
  await finaliser.finaliseDue();
  await finaliser.finaliseDue();
  expect(written.map(({ partition }) => partition)).toEqual([0]);
  const statement = decodeFinalRecord(written[0]!.value)!;
  expect(statement.act.digest).toBe(digest);
  expect(verifyStatement(statement, registered)).toEqual({ ok: true });
  await clock.move(30_000);
  await finaliser.finaliseDue();
  expect(written).toHaveLength(2);
});

test('a result that rows, tallies or digest contradict is not written', async () => {
  const others: DatabaseRecount[] = [
    { ...ours, digest: 'cd'.repeat(32) },
    { ...ours, rows: [4, 3] },
    { ...ours, tallies: [3, 5] },
    { ...ours, tallies: [3] },
  ];
  for (const other of others) {
    const { finaliser, written, said } = finaliserUnderTest(other);
    await finaliser.finaliseDue();
    expect(written).toEqual([]);
    expect(said).toEqual(['the agreed result is not ours']);
  }
});

test('only the worker that holds partition 0 writes', async () => {
  const { finaliser, written } = finaliserUnderTest(ours, { holdsFirst: false });
  await finaliser.finaliseDue();
  expect(written).toEqual([]);
});

test('an agreed act in a form of later versions is said, not passed over in silence', async () => {
  const { finaliser, written, said } = finaliserUnderTest(ours, { newer: '_2' });
  await finaliser.finaliseDue();
  await finaliser.finaliseDue();
  expect(written).toEqual([]);
  expect(said).toEqual(['an agreed act has a form that is not known']);
});
