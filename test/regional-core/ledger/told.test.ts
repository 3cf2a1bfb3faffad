import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { encodeTotalsMessage } from '#common/contracts/vote-aggregated.ts';
import { Told } from '../../../regional-core/ledger/told.ts';

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
