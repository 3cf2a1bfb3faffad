import { describe, expect, test } from 'vitest';
import { DAY_MS } from '#common/clock.ts';
import { mayHaveDropped } from '../../../local/cli/count-log.ts';

describe('records of a session may have left the log', () => {
  test.each([
    ['a log that begins at its beginning has them all', 0, 50, 0, 30, false],
    ['nothing of the last 8 days leaves the log', 20, 50, 20, 7.9, false],
    ['nothing of the last 8 days left the log that is empty', 50, 50, -1, 7.9, false],
    ['a record from before the opening is still there', 20, 50, 21, 9, false],
    ['only records from before the opening are there', 20, 50, -1, 9, false],
    ['the first record is from after the opening', 20, 50, 20, 8, true],
    ['no record is left to tell', 50, 50, -1, 9, true],
  ])('%s', (_case, start, end, sinceOpening, openedDaysAgo, expected) => {
    expect(mayHaveDropped({ start, end, sinceOpening }, openedDaysAgo * DAY_MS)).toBe(expected);
  });
});
