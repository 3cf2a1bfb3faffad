import type { Page } from 'playwright-core';
import { beforeEach, expect, test } from 'vitest';
import { useBrowser } from '../support/browser.ts';
import { addressOf, choose, enterCode, pressVote, readReceipt } from './screens.ts';
import { createSession } from './sessions.ts';
import { cast, castOne, newBallot, newCode } from './voters.ts';

const newPage = useBrowser();
/**
 * The requirement is 500 ms on machines of its own; here the browsers share two cores with all
 * else.
 */
const visibleMsMax = 2000;
let sessionId: string;
beforeEach(async () => {
  sessionId = await createSession();
});

/** Opens the page and waits until its results are live. */
async function follow(): Promise<Page> {
  const page = await newPage();
  await page.goto(addressOf(sessionId));
  await results(page).getByText('Updates by itself.').waitFor();
  return page;
}

function results(page: Page) {
  return page.getByRole('region', { name: 'Results so far' });
}

async function untilTotal(page: Page, text: string, timeout?: number): Promise<void> {
  const total = results(page).getByText(text, { exact: true });
  await total.waitFor(timeout === undefined ? {} : { timeout });
}

/** Label and figures of each bar, as they are read out. */
async function bars(page: Page): Promise<string[]> {
  const items = await results(page).getByRole('listitem').allInnerTexts();
  return items.map((text) => text.replaceAll(/\s+/g, ' ').trim());
}

test('the results move in two browsers when somebody votes', async () => {
  const pages = await Promise.all([follow(), follow()]);
  const { token } = await newBallot(sessionId);
  expect((await cast(token, sessionId, 'delta')).status).toBe(201);
  await Promise.all(pages.map((page) => untilTotal(page, '1 vote counted', visibleMsMax)));
  for (const page of pages) {
    expect(await bars(page)).toEqual([
      'Aurora 0.00% 0 votes',
      'Delta Choir 100.00% 1 vote',
      'Mira – Paper Moon 0.00% 0 votes',
    ]);
  }
});

test('a voter’s own vote moves the bars here and there', async () => {
  const [voter, watcher] = [await follow(), await follow()];
  await castOne(sessionId, 'aurora');
  await untilTotal(watcher, '1 vote counted');
  await enterCode(voter, newCode(sessionId));
  await choose(voter, 'Mira');
  await pressVote(voter);
  await readReceipt(voter);
  await Promise.all([voter, watcher].map((page) => untilTotal(page, '2 votes counted')));
  const fills = watcher.locator('.bar-fill');
  await expect
    .poll(() => fills.evaluateAll((all) => all.map((fill) => fill.getAttribute('style'))))
    .toEqual(['inline-size: 50%;', 'inline-size: 0%;', 'inline-size: 50%;']);
});

test('tabs of one browser share one stream', async () => {
  const page = await follow();
  const streams: string[] = [];
  page.context().on('request', (request) => {
    if (request.url().includes('/stream')) streams.push(request.url());
  });
  const beside = await page.context().newPage();
  await beside.goto(addressOf(sessionId));
  await results(beside).getByText('Updates by itself.').waitFor();
  await castOne(sessionId, 'mira');
  await Promise.all([page, beside].map((tab) => untilTotal(tab, '1 vote counted')));
  expect(streams).toEqual([]);
  // The leading tab goes; the other takes the stream over.
  await page.close();
  await castOne(sessionId, 'mira');
  await untilTotal(beside, '2 votes counted');
  expect(streams).toHaveLength(1);
});

test('without a stream the page falls back to the snapshot', async () => {
  const page = await newPage();
  await page.route('**/stream?*', (route) =>
    route.fulfill({ status: 503, headers: { 'retry-after': '1' } }),
  );
  await page.goto(addressOf(sessionId));
  await results(page).getByText('Live updates are interrupted').waitFor();
  await castOne(sessionId, 'delta');
  await untilTotal(page, '1 vote counted');
});

test('results that are for voters come into sight with the receipt', async () => {
  sessionId = await createSession({ resultsPolicy: 'after_vote' });
  const page = await newPage();
  await page.goto(addressOf(sessionId));
  await results(page).getByText('The results are shown here after you have voted.').waitFor();
  await enterCode(page, newCode(sessionId));
  expect(await bars(page)).toEqual([]);
  await choose(page, 'Aurora');
  await pressVote(page);
  await results(page).getByRole('listitem').filter({ hasText: '100.00% 1 vote' }).waitFor();
});
