import { expect, test } from 'vitest';
import { clockKeys } from '#common/clock-config.ts';
import { loadConfig } from '#common/config.ts';

const load = (env: Record<string, string>) =>
  loadConfig(clockKeys, { VOTE_CLOCK_ERROR_MS: '5', ...env });

test('without more than the declared bound there is no file and no peer', () => {
  expect(load({})).toEqual({ clockErrorMs: 5, clockBoundFile: undefined, clockPeers: [] });
});

test('a declared bound above 50 ms does not start', () => {
  expect(load({ VOTE_CLOCK_ERROR_MS: '50' }).clockErrorMs).toBe(50);
  expect(() => load({ VOTE_CLOCK_ERROR_MS: '51' })).toThrow(
    'VOTE_CLOCK_ERROR_MS must be a whole number from 0 to 50',
  );
});

test('eight peers are taken, a ninth is refused, and so is what is no http:// address', () => {
  const peers = (count: number): string =>
    Array.from({ length: count }, (_, at) => `http://10.0.0.${at}:9000/healthz`).join(',');
  expect(load({ VOTE_CLOCK_PEERS: peers(8) }).clockPeers).toHaveLength(8);
  expect(() => load({ VOTE_CLOCK_PEERS: peers(9) })).toThrow('must name 8 addresses at most');
  for (const wrong of ['10.0.0.1:9000', 'ftp://a/b', 'http://a/b,nonsense']) {
    expect(() => load({ VOTE_CLOCK_PEERS: wrong }), wrong).toThrow('must be http:// addresses');
  }
});
