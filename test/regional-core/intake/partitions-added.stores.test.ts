import { expect, test } from 'vitest';
import { sleep } from '#common/clock.ts';
import { topicName } from '#common/contracts/topics.ts';
import { createAdmin } from '#common/kafka.ts';
import { createTestTopics } from '../../support/topics.ts';
import {
  announceSessions,
  openBallot,
  postUntilLetIn as post,
  readLog,
  receiptOf,
  startReadyIntake,
  vote,
} from './intake-under-test.ts';

const topics = await createTestTopics();
await announceSessions(topics);

test('votes are accepted while partitions are added, in the new ones too, and once each', async () => {
  const intake = await startReadyIntake({
    topicPrefix: topics.prefix,
    redisPrefix: `${topics.prefix}added:`,
  });
  const admin = createAdmin({ brokers: topics.brokers, clientId: 'test' });
  const name = topicName(topics.prefix, 'vote-submitted');
  try {
    await admin.createPartitions({ topics: [{ name, count: 33 }] });
    const places = new Set<string>();
    const refused: unknown[] = [];
    let isInNew = false;
    // What a client knows of a topic is five seconds old at most; then one vote in 33 goes there.
    for (const endMs = performance.now() + 30_000; !isInNew; await sleep(20)) {
      expect(performance.now(), 'a vote in the new partition').toBeLessThan(endMs);
      const answer = await post(vote('tea'), { token: openBallot().token, url: intake.url });
      if (answer.status !== 201) refused.push(answer.body);
      else {
        const { partition, offset } = receiptOf(answer);
        places.add(`${partition}/${offset}`);
        isInNew = partition === 32;
      }
    }
    expect(refused).toEqual([]);
    expect((await readLog(topics)).size).toBe(places.size);
  } finally {
    await admin.close();
    await intake.stop();
  }
}, 60_000);
