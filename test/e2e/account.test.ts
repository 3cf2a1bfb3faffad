import type { Page } from 'playwright-core';
import { beforeAll, expect, test } from 'vitest';
import { useBrowser } from '../support/browser.ts';
import { addressOf, choose, pressVote, readReceipt, untilHeading } from './screens.ts';
import { createSession } from './sessions.ts';
import { type Account, createAccount, mailedLink, newCredentials } from './voters.ts';

const newPage = useBrowser();
const title = 'Vote with an account';
let sessionId: string;
beforeAll(async () => {
  sessionId = await createSession({ title });
});

async function fillIn(page: Page, { email, password }: Account): Promise<void> {
  await page.getByLabel('E-mail address').fill(email);
  await page.getByLabel('Password').fill(password);
}

async function logIn(page: Page, account: Account): Promise<void> {
  await fillIn(page, account);
  await page.getByRole('button', { name: 'Log in', exact: true }).click();
}

test('register, open the link in the mail, log in, vote', async () => {
  const account = newCredentials();
  const page = await newPage();
  await page.goto(addressOf(sessionId));
  await page.getByRole('button', { name: 'Create an account' }).click();
  await fillIn(page, account);
  await page.getByRole('button', { name: 'Create my account' }).click();
  await page.getByRole('heading', { name: 'Check your mail' }).waitFor();
  await page.getByText(account.email).waitFor();

  await page.goto(await mailedLink(account.email));
  await page.getByText('Your address is confirmed').waitFor();
  expect(page.url()).not.toContain('token');
  await page.getByRole('link', { name: 'Go on to log in' }).click();
  await page.getByRole('link', { name: title, exact: true }).click();

  await logIn(page, account);
  await choose(page, 'Mira');
  await pressVote(page);
  const shown = await readReceipt(page);
  expect(shown.code).toMatch(/^[0-9A-Z]{5}-[0-9A-Z]{5}$/);
});

test('the same voter with another choice on another device is told which vote stands', async () => {
  const account = await createAccount();
  const [home, phone] = await Promise.all([newPage(), newPage()]);
  for (const page of [home, phone]) {
    await page.goto(addressOf(sessionId));
    await logIn(page, account);
    await page.getByRole('group', { name: 'Choose one option' }).waitFor();
  }
  await choose(home, 'Aurora');
  await pressVote(home);
  const shown = await readReceipt(home);
  await choose(phone, 'Mira');
  await pressVote(phone);
  await untilHeading(phone, 'A vote of yours is already recorded');
  await phone.getByText(shown.voteId).waitFor();
  await phone.getByRole('button', { name: 'Check the recorded state' }).click();
  await phone.getByText(/^(Accepted|Counted)\./).waitFor();
});

test('the same choice on another device has the same receipt', async () => {
  const account = await createAccount();
  const [home, phone] = await Promise.all([newPage(), newPage()]);
  const receipts = [];
  for (const page of [home, phone]) {
    await page.goto(addressOf(sessionId));
    await logIn(page, account);
    await choose(page, 'Aurora');
    await pressVote(page);
    receipts.push(await readReceipt(page));
  }
  expect(receipts[1]).toEqual(receipts[0]);
});

test('a wrong password is said without saying which was wrong', async () => {
  const account = await createAccount();
  const page = await newPage();
  await page.goto(addressOf(sessionId));
  await logIn(page, { ...account, password: 'something else' });
  const alert = page.getByRole('alert');
  await alert.getByText('The e-mail address or the password is not right.').waitFor();
  expect(await page.getByLabel('E-mail address').inputValue()).toBe(account.email);
});

test('whoever logs out has to log in again', async () => {
  const account = await createAccount();
  const page = await newPage();
  await page.goto(addressOf(sessionId));
  await logIn(page, account);
  await page.getByRole('button', { name: 'Use another code or account' }).click();
  await page.getByLabel('Password').waitFor();
  expect(await page.getByLabel('Password').inputValue()).toBe('');
  await page.reload();
  await page.getByRole('button', { name: 'Log in', exact: true }).waitFor();
});
