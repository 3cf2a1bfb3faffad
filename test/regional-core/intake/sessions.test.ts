import { beforeEach, expect, test } from 'vitest';
import { encodeSessionsMessage } from '#common/contracts/session.ts';
import { Sessions } from '../../../regional-core/intake/sessions.ts';

let sessions: Sessions;
beforeEach(() => {
  sessions = new Sessions();
});
const declare = (epoch: number, lost: string[]): void =>
  sessions.apply([{ value: encodeSessionsMessage({ type: 'regions', v: 1, epoch, lost }) }]);

test('a region is lost once the topic says so, and only that one', () => {
  expect(sessions.isLost('us-east-1')).toBe(false);
  declare(2, ['us-east-1']);
  expect([sessions.isLost('us-east-1'), sessions.isLost('us-west-2')]).toEqual([true, false]);
});

test('an older epoch does not bring a lost region back', () => {
  declare(2, ['us-east-1']);
  declare(1, []);
  expect(sessions.isLost('us-east-1')).toBe(true);
});
