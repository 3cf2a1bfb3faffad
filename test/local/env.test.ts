import { expect, test } from 'vitest';
import { type Facts, serviceEnv, unknownCallerKey } from '../../local/env.ts';
import { serviceKinds } from '../../local/services.ts';

const facts: Facts = {
  regions: ['us-east-1', 'us-west-2'],
  durability: 'two-regions',
  port: (listener) => (listener === 'edge' ? 8080 : 9000 + listener.length),
  secrets: {
    files: { VOTE_BALLOT_KEY_FILE: '/s/ballot', VOTE_WRAPPING_KEY_FILE: '/s/wrapping' },
    receiptKeys: { 'us-east-1': '/s/east', 'us-west-2': '/s/west' },
    sealKeys: { 'us-east-1': '/s/seal-east', 'us-west-2': '/s/seal-west' },
    admin: { email: 'a', password: 'b' },
    second: { email: 'c', password: 'd' },
  },
};
const intake = serviceKinds.find(({ name }) => name === 'intake')!;
const west = { kind: intake, region: 'us-west-2' };
const keys = (...all: string[]): { all: string[]; required: string[] } => ({ all, required: all });

test('a service gets the keys it lists and no other', () => {
  const env = serviceEnv(west, keys('VOTE_REGION', 'VOTE_RECEIPT_KEY_FILE'), facts, {});
  expect(env).toEqual({ VOTE_REGION: 'us-west-2', VOTE_RECEIPT_KEY_FILE: '/s/west' });
});

test('addresses of regions go through the edge, and the edge knows every origin', () => {
  const listed = keys('VOTE_REGIONS', 'VOTE_EDGE_ORIGINS', 'VOTE_POSTGRES_URL');
  const env = serviceEnv(west, listed, facts, {});
  expect(env['VOTE_REGIONS']).toBe(
    'us-east-1=http://localhost:8080/r/us-east-1,us-west-2=http://localhost:8080/r/us-west-2',
  );
  const origins = JSON.parse(env['VOTE_EDGE_ORIGINS'] ?? '');
  expect(Object.keys(origins)).toEqual(['us-east-1', 'us-west-2', 'portal']);
  expect(Object.keys(origins['us-west-2'])).toEqual(['intake', 'identity', 'results', 'records']);
  expect(env['VOTE_POSTGRES_URL']).toMatch(/^postgres:\/\/intake@127\.0\.0\.1:\d+\/vote$/);
});

test('with two regions each hosts the copies of the other, with one nobody does', () => {
  const listed = {
    all: ['VOTE_STANDBY_BROKERS', 'VOTE_STANDBY_OF', 'VOTE_DURABILITY'],
    required: [],
  };
  expect(serviceEnv(west, listed, facts, {})).toEqual({
    VOTE_STANDBY_BROKERS: `127.0.0.1:${9000 + 'kafka(us-east-1)'.length}`,
    VOTE_STANDBY_OF: 'us-east-1',
    VOTE_DURABILITY: 'two-regions',
  });
  const alone: Facts = { ...facts, regions: ['us-east-1'], durability: 'single' };
  const east = { kind: intake, region: 'us-east-1' };
  expect(serviceEnv(east, listed, alone, {})).toEqual({ VOTE_DURABILITY: 'single' });
});

test('the portal knows every log, also the copies that a host keeps', () => {
  const portal = { kind: serviceKinds.find(({ name }) => name === 'portal')!, region: undefined };
  const logs = (regions: readonly string[]) =>
    serviceEnv(portal, keys('VOTE_LOGS'), { ...facts, regions }, {})['VOTE_LOGS'];
  expect(logs(['us-east-1'])).toBe('us-east-1');
  expect(logs(['us-east-1', 'us-west-2'])).toBe(
    'us-east-1,us-west-2,us-west-2@us-east-1,us-east-1@us-west-2',
  );
});

test('each region seals with a key of its own, and clocks are compared with two peers at least', () => {
  const listed = keys('VOTE_SEAL_KEY_FILE', 'VOTE_CLOCK_PEERS');
  const env = serviceEnv(west, listed, { ...facts, regions: ['us-west-2'] }, {});
  expect(env['VOTE_SEAL_KEY_FILE']).toBe('/s/seal-west');
  expect(env['VOTE_CLOCK_PEERS']?.split(',')).toHaveLength(2);
});

test('what the caller set by hand goes first, if the service lists it', () => {
  const caller = { VOTE_LOG_LEVEL: 'debug', VOTE_REGION: 'moon', VOTE_OTHER: 'x' };
  const listed = { all: ['VOTE_LOG_LEVEL', 'VOTE_REGION'], required: [] };
  expect(serviceEnv(west, listed, facts, caller)).toEqual({
    VOTE_LOG_LEVEL: 'debug',
    VOTE_REGION: 'moon',
  });
});

test('a required key that nobody provides stops the start by name', () => {
  expect(() => serviceEnv(west, keys('VOTE_MOON_URL'), facts, {})).toThrow(
    'intake needs VOTE_MOON_URL',
  );
});

test('a misspelt key of the caller is found', () => {
  const listed = new Set(['VOTE_LOG_LEVEL']);
  expect(unknownCallerKey({ VOTE_LOG_LEVEL: 'x', PATH: 'y' }, listed)).toBeUndefined();
  expect(unknownCallerKey({ VOTE_LOGLEVEL: 'x' }, listed)).toBe('VOTE_LOGLEVEL');
});
