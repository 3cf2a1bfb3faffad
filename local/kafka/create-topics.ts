// Creates the topics of common/contracts/topics.ts that the cluster of the broker given as argument
// lacks, with as many copies as the second argument says.

import { setTimeout as delay } from 'node:timers/promises';
import { Admin } from '@platformatic/kafka';
import { minInSyncReplicas, topics } from '#common/contracts/topics.ts';

const CREATE_MS_MAX = 130_000;
const RETRY_MS = 100;

const [broker, copies = '1'] = process.argv.slice(2);
const replicas = Number(copies);
if (broker === undefined || !(replicas >= 1)) {
  throw new Error('usage: create-topics.ts HOST:PORT [COPIES]');
}
const minInSync = String(minInSyncReplicas(replicas));
const admin = new Admin({ clientId: 'create-topics', bootstrapBrokers: [broker], retries: 0 });
try {
  await createMissing();
} finally {
  await admin.close();
}

async function createMissing(): Promise<void> {
  const deadline = performance.now() + CREATE_MS_MAX;
  for (;;) {
    try {
      const existing = new Set(await admin.listTopics({ includeInternals: false }));
      for (const topic of topics.filter(({ name }) => !existing.has(name))) {
        const config = { ...topic.config, 'min.insync.replicas': minInSync };
        await admin.createTopics({
          topics: [topic.name],
          partitions: topic.partitions,
          replicas,
          configs: Object.entries(config).map(([name, value]) => ({ name, value })),
        });
      }
      return;
    } catch (error) {
      // The broker may not be there yet, or still be fenced, or its controller not elected.
      if (performance.now() > deadline) throw error;
      await delay(RETRY_MS);
    }
  }
}
