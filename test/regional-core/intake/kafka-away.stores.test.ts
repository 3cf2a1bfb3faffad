import { afterAll, expect, test } from 'vitest';
import { sleep } from '#common/clock.ts';
import { confirm } from '#common/confirmation.ts';
import { startOwnBroker } from '../../support/broker.ts';
import { createTestTopics } from '../../support/topics.ts';
import {
  type Answer,
  announceSessions,
  confirmationKey,
  openBallot,
  post,
  readLog,
  receiptOf,
  startReadyIntake,
  vote,
} from './intake-under-test.ts';

/** Intake on a Kafka of this file's own, which stops answering under it and comes back. */
const broker = await startOwnBroker();
const topics = await createTestTopics(broker.address);
await announceSessions(topics);
const intake = await startReadyIntake({
  kafkaBrokers: topics.brokers,
  topicPrefix: topics.prefix,
});
afterAll(() => intake.stop());

const answerMsMax = 3000;
const healMsMax = 12_000;

type Voter = ReturnType<typeof openBallot>;

const newVoters = (count: number): Voter[] => Array.from({ length: count }, () => openBallot());

async function castTea(voter: Voter): Promise<{ voter: Voter; answer: Answer; tookMs: number }> {
  const startedMs = performance.now();
  const answer = await post(vote('tea'), { token: voter.token, url: intake.url });
  return { voter, answer, tookMs: performance.now() - startedMs };
}

/** Sends the same choice again, as the page does while the outcome is unknown. */
async function untilAccepted(voter: Voter): Promise<Answer> {
  const deadlineMs = performance.now() + healMsMax;
  for (;;) {
    const { answer } = await castTea(voter);
    if (answer.status === 201 || performance.now() > deadlineMs) return answer;
    expect(answer).toMatchObject({ status: 503, body: { retryable: true } });
    await sleep(1000);
  }
}

test('Kafka silent: no answer is later than 3 s, no 201 is lost, and each other vote goes through', async () => {
  const before = await Promise.all(newVoters(20).map(castTea));
  expect(before.map(({ answer }) => answer.status)).toEqual(before.map(() => 201));

  const underWay = newVoters(40).map(castTea);
  await sleep(5);
  broker.pause();
  const during = await Promise.all(newVoters(20).map(castTea));
  const cut = await Promise.all(underWay);
  broker.resume();

  expect(during.map(({ answer }) => answer.status)).toEqual(during.map(() => 503));
  const unanswered = [...during, ...cut.filter(({ answer }) => answer.status !== 201)];
  for (const { answer, tookMs } of unanswered) {
    expect(answer).toMatchObject({ status: 503, body: { retryable: true } });
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    expect(tookMs).toBeLessThan(answerMsMax);
  }
  const saying = (error: string) =>
    unanswered.filter(({ answer }) => answer.body['error'] === error).map(({ voter }) => voter);
  // More small batches than may be under way at once: what waits behind them is never sent.
  const [unknown, neverSent] = [saying('outcome_unknown'), saying('overloaded')];
  expect(unknown.length).toBeGreaterThan(0);
  expect(unknown.length + neverSent.length).toBe(unanswered.length);

  const mended = await retry(unknown);
  const written = voteIdsIn(await readLog(topics));
  expect(neverSent.filter(({ ballot }) => written.has(ballot.vote_id))).toEqual([]);
  const sent = await retry(neverSent);

  const records = await readLog(topics);
  const answers = [...[...before, ...cut].map(({ answer }) => answer), ...mended, ...sent];
  for (const answer of answers.filter(({ status }) => status === 201)) {
    const { partition, offset, vote_id } = receiptOf(answer);
    expect(records.get(`${partition}/${offset}`)).toMatchObject({ ballot: { vote_id } });
  }
});

/** Each vote again until it is accepted, with the vote id and code that it always had. */
async function retry(voters: readonly Voter[]): Promise<Answer[]> {
  const answers = await Promise.all(voters.map(untilAccepted));
  for (const [index, answer] of answers.entries()) {
    const { vote_id: voteId } = voters[index]!.ballot;
    expect(answer.status).toBe(201);
    expect(answer.body).toMatchObject({
      vote_id: voteId,
      confirmation_code: confirm(confirmationKey, voteId, 0).code,
    });
  }
  return answers;
}

function voteIdsIn(records: Awaited<ReturnType<typeof readLog>>): Set<string> {
  const ids = new Set<string>();
  for (const record of records.values()) if ('ballot' in record) ids.add(record.ballot.vote_id);
  return ids;
}
