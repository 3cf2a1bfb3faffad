import { types } from 'pg';
// oxlint-disable-next-line import/no-unassigned-import -- it sets how numbers are read
import '#common/postgres.ts';
import { nothingTold } from '../../regional-core/publisher/told.ts';
import { totalsToPublish } from '../../regional-core/publisher/totals.ts';
import { sessionMessage } from '../simulate/model/totals.ts';

/** Ends with 1 when a count that a number does not hold exactly is taken for one that it does. */
const int8Oid = 20;
const tooLarge = '9007199254740993';

function refuses(act: () => unknown): boolean {
  try {
    act();
    return false;
  } catch {
    return true;
  }
}

const session = sessionMessage(
  {
    no: 1,
    id: '00000000-0000-8000-8000-000000000001',
    version: 1,
    optionIds: ['a', 'b'],
    opensAtMs: 0,
    closesAtMs: 1,
    sealedAtMs: null,
    final: null,
  },
  1,
);
const half = 2 ** 52;
const read = {
  epoch: 1,
  corrections: 0,
  covers: {},
  sessions: [{ sessionNo: 1, counts: { 0: half, 1: half + 1 } }],
};
const checks: readonly (readonly [what: string, act: () => unknown])[] = [
  ['a bigint from Postgres', () => types.getTypeParser(int8Oid)(tooLarge)],
  ['a total', () => totalsToPublish(read, nothingTold, new Map([[1, session]]), 2)],
];
const rounded = checks.filter(([, act]) => !refuses(act)).map(([what]) => what);
for (const what of rounded) console.log(`${what} beyond 2^53 was rounded`);
process.exitCode = rounded.length === 0 ? 0 : 1;
