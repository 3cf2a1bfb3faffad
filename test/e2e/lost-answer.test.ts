import type { Page, Request, Route } from 'playwright-core';
import { beforeEach, expect, inject, test, vi } from 'vitest';
import { reportBalance } from '../../local/cli/balance.ts';
import { useBrowser } from '../support/browser.ts';
import {
  addressOf,
  choose,
  enterCode,
  pressVote,
  readReceipt,
  untilHeading,
  watchVotes,
} from './screens.ts';
import { createSession } from './sessions.ts';
import { newCode } from './voters.ts';

const newPage = useBrowser();
const votes = '**/api/v1/votes';
let sessionId: string;
beforeEach(async () => {
  sessionId = await createSession();
});

/** A ballot with a choice made, and the posts that will be sent. */
async function readyToVote(): Promise<{ page: Page; posts: readonly Request[] }> {
  const page = await newPage();
  const posts = watchVotes(page);
  await page.goto(addressOf(sessionId));
  await enterCode(page, newCode(sessionId));
  await choose(page, 'Delta Choir');
  return { page, posts };
}

/** Lets the next vote reach the service and drops its answer on the way back; gives its vote id. */
async function pressVoteAndLoseAnswer(page: Page, onLost: () => Promise<void>): Promise<string> {
  const lost = Promise.withResolvers<string>();
  const drop = async (route: Route): Promise<void> => {
    const answer = await route.fetch();
    const { vote_id: voteId } = (await answer.json()) as { vote_id: string };
    await onLost();
    await route.abort('internetdisconnected');
    lost.resolve(voteId);
  };
  await page.route(votes, drop, { times: 1 });
  await pressVote(page);
  return lost.promise;
}

/** While it is not known how the vote ended there is nothing to choose. */
async function expectUnknown(page: Page): Promise<void> {
  await untilHeading(page, 'We are sending your vote');
  await page.getByText('We cannot reach the service at the moment.').waitFor();
  expect(await page.getByRole('radio').count()).toBe(0);
}

/** Read from the log and the ledger, not from what a page shows. */
async function expectCountedOnce(): Promise<void> {
  const { postgres, regions } = inject('stack');
  await vi.waitFor(
    async () => {
      const report = await reportBalance({ postgres, regions, topicPrefix: '' }, sessionId);
      expect(report.faults).toEqual([]);
      expect(report.balance).toMatchObject({ counted: 1, duplicate: 0, pending: 0 });
    },
    { timeout: 15_000, interval: 300 },
  );
}

test('offline between click and answer: sent again when online, the same vote', async () => {
  const { page, posts } = await readyToVote();
  const context = page.context();
  const voteId = await pressVoteAndLoseAnswer(page, () => context.setOffline(true));
  await expectUnknown(page);
  await context.setOffline(false);
  const shown = await readReceipt(page);
  expect(shown.voteId).toBe(voteId);
  await expectSameVote(posts);
  await expectCountedOnce();
});

test('reloaded while the outcome is unknown: goes on with the same vote', async () => {
  const { page, posts } = await readyToVote();
  const voteId = await pressVoteAndLoseAnswer(page, async () => {
    await page.route(votes, (route) => route.abort('connectionreset'));
  });
  await expectUnknown(page);
  await page.reload();
  await expectUnknown(page);
  await page.unroute(votes);
  const shown = await readReceipt(page);
  expect(shown.voteId).toBe(voteId);
  await expectSameVote(posts);
  await expectCountedOnce();
});

test('offline before the click: sent when online', async () => {
  const { page, posts } = await readyToVote();
  await page.context().setOffline(true);
  await pressVote(page);
  await expectUnknown(page);
  await page.context().setOffline(false);
  await readReceipt(page);
  await expectSameVote(posts);
  await expectCountedOnce();
});

/** Every post carried the key and the body of the first. */
async function expectSameVote(posts: readonly Request[]): Promise<void> {
  expect(posts.length).toBeGreaterThanOrEqual(2);
  const sent = await Promise.all(
    posts.map(async (post) => [await post.headerValue('idempotency-key'), post.postData()]),
  );
  expect(new Set(sent.map((vote) => JSON.stringify(vote))).size).toBe(1);
}
