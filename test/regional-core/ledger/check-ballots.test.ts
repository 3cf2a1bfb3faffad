import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { decodeVoteRecord, type VoteRecord } from '#common/contracts/vote-submitted.ts';
import { importPublicKeys, type PublicKeys } from '#common/keys.ts';
import { BallotKeys } from '../../../regional-core/ledger/ballot-keys.ts';
import { createBallotCheck } from '../../../regional-core/ledger/check-ballots.ts';
import { createBallot, createRecord, createSigningKey } from '../../support/votes.ts';
import { ManualClock } from './manual-clock.ts';

const key = createSigningKey();
const forger = createSigningKey();

function recordOf(signer = key): VoteRecord {
  const { key: session, value } = createRecord(signer, createBallot(randomUUID()), 1);
  const record = decodeVoteRecord(session, value);
  if ('unreadable' in record) throw new TypeError(record.unreadable);
  return record;
}

function keysUnderTest(told: PublicKeys, read: () => PublicKeys) {
  const clock = new ManualClock(0);
  let reads = 0;
  const keys = new BallotKeys({
    told: () => told,
    read: () => {
      reads++;
      return Promise.resolve(read());
    },
    clock,
  });
  return { keys, clock, reads: () => reads };
}

const known = importPublicKeys([key.publicJwk]);

test('good ballots pass, whatever their number; a changed or a foreign one does not', async () => {
  const { keys, reads } = keysUnderTest(known, () => known);
  const check = createBallotCheck(keys);
  const good = Array.from({ length: 200 }, () => recordOf());
  const other = recordOf();
  const moved = { ...good[0]!, ballot: { ...good[0]!.ballot, vote_id: other.ballot.vote_id } };
  const forged = { ...recordOf(forger), kid: key.kid };
  expect(await check([...good, moved, forged])).toEqual([
    ...good.map(() => undefined),
    'ballot signature is not valid',
    'ballot signature is not valid',
  ]);
  expect(await check([])).toEqual([]);
  expect(reads()).toBe(0);
});

test('of a large batch 64 ballots are verified at once, and every one in its turn', async () => {
  let begun = 0;
  const get = (kid: string) => {
    begun++;
    return known.get(kid);
  };
  const records = [...Array.from({ length: 199 }, () => recordOf()), recordOf(forger)];
  const checking = createBallotCheck({ get, learn: () => Promise.resolve() })(records);
  // No verification ends before the event loop turns.
  await new Promise((resolve) => {
    process.nextTick(resolve);
  });
  expect(begun).toBe(64);
  const faults = await checking;
  expect(begun).toBe(200);
  expect(faults.filter((fault) => fault !== undefined)).toHaveLength(1);
  expect(faults[199]).toBe('ballot by an unknown key');
});

test('a key that was not told yet is read from the store, and kept for ever', async () => {
  let held = known;
  const { keys, reads } = keysUnderTest(new Map(), () => held);
  const check = createBallotCheck(keys);
  expect(await check([recordOf()])).toEqual([undefined]);
  held = new Map();
  expect(await check([recordOf()])).toEqual([undefined]);
  expect(reads()).toBe(1);
});

test('an unknown key is waited for a second, and forged ones do not hold up the next', async () => {
  const { keys, clock } = keysUnderTest(new Map(), () => known);
  const done = new AbortController();
  const learning = keys.learn(new Set([key.kid, forger.kid])).finally(() => done.abort());
  let waitedMs = 0;
  for (; !done.signal.aborted && waitedMs < 5000; waitedMs += 50) await clock.move(50);
  await learning;
  expect(waitedMs).toBeGreaterThanOrEqual(1000);
  expect(waitedMs).toBeLessThanOrEqual(1200);
  // The clock stands still from here on: nothing waits.
  const check = createBallotCheck(keys);
  expect(await check([recordOf(), recordOf(forger)])).toEqual([
    undefined,
    'ballot by an unknown key',
  ]);
});
