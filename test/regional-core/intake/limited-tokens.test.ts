import { expect, test } from 'vitest';
import { LimitedTokens, limitedTokensMax } from '../../../regional-core/intake/limited-tokens.ts';

test('a voter who was told to wait is told so again until the time has passed', () => {
  let nowMs = 0;
  const tokens = new LimitedTokens({ monotonicMs: () => nowMs });
  tokens.remember('token', 3);
  expect([tokens.waitS('token'), tokens.waitS('another')]).toEqual([3, 0]);
  nowMs = 2500;
  expect(tokens.waitS('token')).toBe(1);
  nowMs = 3000;
  expect(tokens.waitS('token')).toBe(0);
});

test('remembers a bounded number of tokens of a bounded length, the latest ones', () => {
  const tokens = new LimitedTokens({ monotonicMs: () => 0 });
  for (let no = 0; no <= limitedTokensMax; no++) tokens.remember(`token-${no}`, 1);
  tokens.remember('x'.repeat(1025), 1);
  expect(tokens.waitS('token-0')).toBe(0);
  expect(tokens.waitS('token-1')).toBe(1);
  expect(tokens.waitS('x'.repeat(1025))).toBe(0);
});
