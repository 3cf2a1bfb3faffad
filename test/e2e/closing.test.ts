import { expect, test } from 'vitest';
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
import { closeSession, createSession, untilState } from './sessions.ts';
import { castOne, newCode } from './voters.ts';

const newPage = useBrowser();
const closedMsMax = 20_000;

test('a closed session shows its results and takes no code', async () => {
  const sessionId = await createSession({ title: 'Closed', closesInMs: 4000 });
  await castOne(sessionId, 'delta');
  await untilState(sessionId, 'closed', closedMsMax);
  const page = await newPage();
  await page.goto(addressOf(sessionId));
  await untilHeading(page, 'Closed');
  await page.getByText(/^Voting closed /).waitFor();
  await page.getByText('1 vote counted', { exact: true }).waitFor();
  expect(await page.getByRole('textbox').count()).toBe(0);
});

test('a vote pressed after closing says that nothing was recorded; a receipt stays', async () => {
  const sessionId = await createSession({ title: 'Closing' });
  const [late, early] = [await newPage(), await newPage()];
  for (const page of [late, early]) {
    await page.goto(addressOf(sessionId));
    await enterCode(page, newCode(sessionId));
    await choose(page, 'Mira');
  }
  await pressVote(early);
  const shown = await readReceipt(early);
  await closeSession(sessionId);
  await untilState(sessionId, 'closed', closedMsMax);

  const posts = watchVotes(late);
  await pressVote(late);
  const alert = late.getByRole('alert');
  await alert.getByText('Nothing was recorded by this attempt.').waitFor();
  await alert.getByText('Voting has closed.').waitFor();
  await late.getByRole('button', { name: 'Check the recorded state' }).click();
  await late.getByText('No vote of yours is recorded here so far.').waitFor();
  expect(posts).toHaveLength(1);

  await early.reload();
  expect(await readReceipt(early)).toEqual(shown);
});

test('a scheduled session gives ballots, and tells who votes early when it opens', async () => {
  const sessionId = await createSession({ title: 'Soon', opensInMs: 600_000 });
  const page = await newPage();
  await page.goto(addressOf(sessionId));
  await page.getByText(/^Voting opens /).waitFor();
  await enterCode(page, newCode(sessionId));
  await choose(page, 'Aurora');
  await pressVote(page);
  await page
    .getByRole('alert')
    .getByText(/Voting opens /)
    .waitFor();
  expect(await page.getByRole('radio').count()).toBe(3);
});
