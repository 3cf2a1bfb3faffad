import { expect, test } from 'vitest';
import { serverProperties } from '../../../local/kafka/server-properties.ts';

const text = serverProperties({ port: 9102, controllerPort: 9103, logDir: '/data' });

test('the broker listens on this machine alone', () => {
  const listeners = text.split('\n').filter((line) => /listeners=/.test(line));
  expect(listeners).toEqual([
    'listeners=PLAINTEXT://127.0.0.1:9102,CONTROLLER://127.0.0.1:9103',
    'advertised.listeners=PLAINTEXT://127.0.0.1:9102',
  ]);
});

test('no topic comes into being by itself and no unclean leader is elected', () => {
  expect(text).toContain('auto.create.topics.enable=false\n');
  expect(text).toContain('unclean.leader.election.enable=false\n');
});
