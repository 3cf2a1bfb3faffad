import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { kafkaSpec } from '../../../local/kafka/kafka.ts';
import { findTools } from '../../../local/tools.ts';

test('a cluster id that begins with a dash is an id like any other', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'vote-kafka-'));
  onTestFinished(() => rm(dataDir, { recursive: true }));
  const clusterId = '-6Ae3vOZTyG1yGNnUL5aQw';
  // Never started: the ports are only written down.
  const voters = { 'controller.quorum.voters': '1@127.0.0.1:2' };
  const member = { clusterId, settings: voters };
  const place = { dataDir, port: 1, controllerPort: 2, heapMb: 128, member };
  await kafkaSpec(findTools(), place).prepare();
  const written = await readFile(join(dataDir, 'log/meta.properties'), 'utf8');
  expect(written).toContain(`cluster.id=${clusterId}`);
});
