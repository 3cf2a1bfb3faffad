import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { actBody, type FinaliseAct, importApprovalKeys, signAct } from '#common/contracts/act.ts';
import { decodeFinalRecord, verifyStatement } from '#common/contracts/final.ts';
import { type DatabaseRecount, Finaliser } from '../../../regional-core/ledger/finaliser.ts';
import { createSigningKey } from '../../support/votes.ts';
import { ManualClock } from './manual-clock.ts';

const unending = new AbortController().signal;
const digest = 'ab'.repeat(32);
const [one, two] = [createSigningKey(), createSigningKey()];
const registered = importApprovalKeys([
  { x: one.publicJwk.x, adminId: 'one' },
  { x: two.publicJwk.x, adminId: 'two' },
]);
const ours: DatabaseRecount = { digest, rows: [3, 4], tallies: [3, 4] };

function finaliserUnderTest(first: DatabaseRecount, { holdsFirst = true, newer = '' } = {}) {
  const state = { recounted: first, recounts: 0, contradicted: -1, isAgreed: true };
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
    listAgreed: () => Promise.resolve(state.isAgreed ? [{ sessionNo: 1, body, signatures }] : []),
    recount: () => {
      state.recounts += 1;
      return Promise.resolve(state.recounted);
    },
    append: (partition, _key, value) => {
      written.push({ partition, value });
      return Promise.resolve();
    },
    holdsFirst: () => holdsFirst,
    clock,
    log: { error: (_: object, text: string) => said.push(text) } as never,
    metrics: { contradicted: (results) => (state.contradicted = results) },
  });
  return { finaliser, written, said, clock, state };
}

test('writes what two people agreed on to partition 0, once, and again when it is not read', async () => {
  const { finaliser, written, clock } = finaliserUnderTest(ours);
  await finaliser.finaliseDue(unending);
  await finaliser.finaliseDue(unending);
  expect(written.map(({ partition }) => partition)).toEqual([0]);
  const statement = decodeFinalRecord(written[0]!.value)!;
  expect(statement.act.digest).toBe(digest);
  expect(verifyStatement(statement, registered)).toEqual({ ok: true });
  await clock.move(30_000);
  await finaliser.finaliseDue(unending);
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
    await finaliser.finaliseDue(unending);
    expect(written).toEqual([]);
    expect(said).toEqual(['the agreed result is not ours']);
  }
});

test('what is contradicted is counted again ever more seldom, at least each hour, and is in a metric', async () => {
  const { finaliser, written, clock, state } = finaliserUnderTest({ ...ours, rows: [4, 3] });
  const atS: number[] = [];
  for (let second = 0; second < 5 * 3600; second += 10) {
    const before = state.recounts;
    await finaliser.finaliseDue(unending);
    if (state.recounts > before) atS.push(second);
    await clock.move(10_000);
  }
  const rests = atS.slice(1).map((second, at) => second - atS[at]!);
  expect(rests).toEqual([30, 60, 120, 240, 480, 960, 1920, 3600, 3600, 3600]);
  expect(state.contradicted).toBe(1);
  state.recounted = ours;
  await clock.move(3_600_000);
  await finaliser.finaliseDue(unending);
  expect(written).toHaveLength(1);
  expect(state.contradicted).toBe(0);
});

test('a contradicted result that is agreed on no more leaves the metric', async () => {
  const { finaliser, state } = finaliserUnderTest({ ...ours, rows: [4, 3] });
  await finaliser.finaliseDue(unending);
  expect(state.contradicted).toBe(1);
  state.isAgreed = false;
  await finaliser.finaliseDue(unending);
  expect(state.contradicted).toBe(0);
});

test('only the worker that holds partition 0 writes', async () => {
  const { finaliser, written } = finaliserUnderTest(ours, { holdsFirst: false });
  await finaliser.finaliseDue(unending);
  expect(written).toEqual([]);
});

test('an agreed act in a form of later versions is said, not passed over in silence', async () => {
  const { finaliser, written, said } = finaliserUnderTest(ours, { newer: '_2' });
  await finaliser.finaliseDue(unending);
  await finaliser.finaliseDue(unending);
  expect(written).toEqual([]);
  expect(said).toEqual(['an agreed act has a form that is not known']);
});
