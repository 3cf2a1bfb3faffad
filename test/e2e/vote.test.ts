import type { Page } from 'playwright-core';
import { beforeAll, expect, test, vi } from 'vitest';
import { useBrowser } from '../support/browser.ts';
import { ask } from './ask.ts';
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
import { newCode, openBallot } from './voters.ts';

const newPage = useBrowser();
const title = 'Vote with a code';
const receiptOf = { name: 'Receipt' };
let sessionId: string;
beforeAll(async () => {
  sessionId = await createSession({ title });
});

/** A page of a new voter with the ballot open. */
async function openVoter(address = addressOf(sessionId)) {
  const page = await newPage();
  const posts = watchVotes(page);
  const code = newCode(sessionId);
  await page.goto(address);
  await enterCode(page, code);
  return { page, posts, code };
}

/** The receipt says that the count has passed it, without asking for the vote. */
async function untilRead(page: Page): Promise<void> {
  await page
    .getByRole('status')
    .filter({ hasText: /^Counted\. If/ })
    .waitFor();
}

test('a code opens the ballot, and the vote becomes a receipt that is read, then told counted', async () => {
  const { page, code } = await openVoter();
  await untilHeading(page, title);
  await choose(page, 'Delta Choir');
  await pressVote(page);
  const shown = await readReceipt(page);
  await untilRead(page);
  const { token, voteId } = await openBallot(sessionId, { code });
  expect(shown.voteId).toBe(voteId);
  const { body } = await ask(`/api/v1/votes/${voteId}`, { token });
  expect(body).toMatchObject({ status: 'counted', confirmation_code: shown.code });
  await page.getByRole('button', { name: 'Check the recorded state' }).click();
  await page.getByText('Counted as cast.').waitFor();
});

test('the receipt stays through a reload, says no choice, and shows in a second tab', async () => {
  const { page, posts } = await openVoter();
  const beside = await page.context().newPage();
  await beside.goto(addressOf(sessionId));
  await beside.locator('#code').waitFor();
  await choose(page, 'Aurora');
  await pressVote(page);
  const shown = await readReceipt(page);
  // The tab that was open all the while follows by itself.
  expect(await readReceipt(beside)).toEqual(shown);
  await page.reload();
  expect(await readReceipt(page)).toEqual(shown);
  expect(await page.getByRole('region', receiptOf).innerText()).not.toContain('Aurora');
  const later = await page.context().newPage();
  await later.goto(addressOf(sessionId));
  expect(await readReceipt(later)).toEqual(shown);
  expect(posts).toHaveLength(1);
});

test('a double click sends one vote', async () => {
  const { page, posts } = await openVoter();
  await choose(page, 'Mira');
  await page.getByRole('button', { name: 'Vote', exact: true }).dblclick();
  await readReceipt(page);
  await untilRead(page);
  expect(posts).toHaveLength(1);
});

test('back and forward lead to the receipt, and nothing is sent again', async () => {
  const page = await newPage();
  const posts = watchVotes(page);
  await page.goto(new URL('/en/', addressOf(sessionId)).href);
  await untilHeading(page, 'Choose a vote');
  await page.getByRole('link', { name: title, exact: true }).click();
  await enterCode(page, newCode(sessionId));
  await choose(page, 'Aurora');
  await pressVote(page);
  const shown = await readReceipt(page);
  await page.goBack();
  await untilHeading(page, 'Choose a vote');
  await page.goForward();
  expect(await readReceipt(page)).toEqual(shown);
  expect(posts).toHaveLength(1);
});

test('nothing chosen and nothing typed are pointed out, and nothing is sent', async () => {
  const page = await newPage();
  const posts = watchVotes(page);
  await page.goto(addressOf(sessionId));
  await page.getByRole('button', { name: 'Open my ballot' }).click();
  const alert = page.getByRole('alert');
  await alert.getByRole('link', { name: 'Enter your voting code' }).click();
  await page.keyboard.type('00000-00000-00000-00000');
  await page.keyboard.press('Enter');
  await alert.getByText('This code is not valid for this vote.').waitFor();
  await alert.getByText(/Reference: [0-9a-f]{32}/).waitFor();
  await enterCode(page, newCode(sessionId));
  await pressVote(page);
  await alert.getByRole('link', { name: 'Choose one option' }).waitFor();
  expect(posts).toHaveLength(0);
});

test('the next person at the device gets a ballot after a warning', async () => {
  const { page } = await openVoter();
  await choose(page, 'Mira');
  await pressVote(page);
  const first = await readReceipt(page);
  await page.getByRole('button', { name: 'Another person votes on this device' }).click();
  await page.getByText('Write down the confirmation code first').waitFor();
  await page.getByRole('button', { name: 'Remove the receipt and start again' }).click();
  await enterCode(page, newCode(sessionId));
  await choose(page, 'Delta Choir');
  await pressVote(page);
  const second = await vi.waitFor(() => readReceipt(page));
  expect(second.voteId).not.toBe(first.voteId);
});
