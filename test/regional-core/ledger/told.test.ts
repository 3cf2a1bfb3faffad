import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import {
  encodeSessionsMessage,
  type SessionMessage,
  type SessionsMessage,
} from '#common/contracts/session.ts';
import { encodeTotalsMessage } from '#common/contracts/vote-aggregated.ts';
import { Told } from '../../../regional-core/ledger/told.ts';
import { createSigningKey } from '../../support/votes.ts';

const said = (message: SessionsMessage) => ({ value: encodeSessionsMessage(message) });

function session(epoch: number): { value: Buffer } {
  const message: SessionMessage = {
    type: 'session',
    v: 1,
    epoch,
    version: 1,
    session_id: randomUUID(),
    session_no: 1,
    title: 'A session',
    options: [
      { option_id: 'a', label: 'A' },
      { option_id: 'b', label: 'B' },
    ],
    opens_at_ms: 1,
    closes_at_ms: 2,
    eligibility: ['code'],
    results_policy: 'live',
    released_at_ms: null,
  };
  return said(message);
}

function totals(epoch: number, timeline?: number): { value: Buffer } {
  const message = { v: 1, session_id: randomUUID(), epoch, sequence: 1, total_votes: 0 } as const;
  const whole = { ...message, counts: null, covers: {}, at_ms: 1 };
  return {
    value: encodeTotalsMessage(timeline === undefined ? whole : { ...whole, timeline }),
  };
}

test('the newest writer is the highest timeline of the highest epoch', () => {
  const told = new Told();
  expect(told.writer).toEqual({ epoch: 0, timeline: 0 });
  told.hearTotals([totals(1), totals(1, 3), totals(1, 2)]);
  expect(told.writer).toEqual({ epoch: 1, timeline: 3 });
  told.hearTotals([totals(2, 1), totals(1, 9)]);
  expect(told.writer).toEqual({ epoch: 2, timeline: 1 });
});

test('a session and the list of lost regions tell the epoch, too; a lower one is an old one', () => {
  const told = new Told();
  told.hearTotals([totals(1, 7)]);
  told.hearSessions([session(1), said({ type: 'regions', v: 1, epoch: 3, lost: [] })]);
  expect(told.epoch).toBe(3);
  // Of the new writer's timelines nothing is known yet: those of the old one are of no use.
  expect(told.writer).toEqual({ epoch: 3, timeline: 0 });
  told.hearSessions([session(2)]);
  expect(told.epoch).toBe(3);
  told.hearSessions([session(4)]);
  expect(told.epoch).toBe(4);
});

test('a session of the same epoch says nothing about the timeline, and takes none back', () => {
  const told = new Told();
  told.hearTotals([totals(2, 5)]);
  told.hearSessions([session(2)]);
  expect(told.writer).toEqual({ epoch: 2, timeline: 5 });
});

test('the latest list of ballot keys is the one that holds', () => {
  const [before, now] = [createSigningKey(), createSigningKey()];
  const keys = (...held: (typeof now)[]) =>
    said({ type: 'ballot_keys', v: 1, keys: held.map(({ publicJwk }) => publicJwk) });
  const told = new Told();
  expect(told.ballotKeys.size).toBe(0);
  told.hearSessions([keys(before)]);
  expect([...told.ballotKeys.keys()]).toEqual([before.kid]);
  told.hearSessions([keys(before, now), session(1)]);
  expect([...told.ballotKeys.keys()]).toEqual([before.kid, now.kid]);
});

test('what cannot be read, or is of a kind that only newer processes know, changes nothing', () => {
  const told = new Told();
  const unreadable = [Buffer.from('{'), Buffer.from('{"type":"later","v":1,"epoch":9}'), null];
  told.hearSessions(unreadable.map((value) => ({ value })));
  told.hearTotals(unreadable.map((value) => ({ value })));
  expect(told.writer).toEqual({ epoch: 0, timeline: 0 });
  expect(told.ballotKeys.size).toBe(0);
});
