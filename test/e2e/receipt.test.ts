import { readFile } from 'node:fs/promises';
import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { useBrowser } from '../support/browser.ts';
import { addressOf, enterCode, readReceipt } from './screens.ts';
import { createSession } from './sessions.ts';
import { newCode } from './voters.ts';

const newPage = useBrowser();
const saveNames: Record<string, string> = {
  en: 'Save the receipt as a file',
  ar: 'احفظ الإيصال في ملف',
};
let sessionId: string;
beforeAll(async () => {
  sessionId = await createSession();
});

const checkAddress = (language: string): string =>
  new URL(`/${language}/receipt`, addressOf(sessionId)).href;

/** Votes, and saves the receipt as the page offers it. */
async function saveReceipt(page: Page, language: string) {
  await page.goto(addressOf(sessionId, language));
  await enterCode(page, newCode(sessionId));
  await page.locator('#option-0').check();
  await page.locator('button.vote').click();
  await page.locator('.confirmation').waitFor();
  const saving = page.waitForEvent('download');
  await page.getByRole('button', { name: saveNames[language]! }).click();
  const download = await saving;
  const text = await readFile(await download.path(), 'utf8');
  return { name: download.suggestedFilename(), text };
}

async function openCheck(page: Page, language: string): Promise<void> {
  await page.goto(checkAddress(language));
  await page.locator('button[type=submit]:not([aria-disabled])').waitFor();
}

test('a saved receipt is found genuine without a network, and a changed one is not', async () => {
  const page = await newPage();
  const { name, text } = await saveReceipt(page, 'en');
  const shown = await readReceipt(page);
  expect(name).toBe(`receipt-${shown.voteId.slice(0, 8)}.txt`);
  await openCheck(page, 'en');
  await page.context().setOffline(true);

  const file = { name, mimeType: 'text/plain', buffer: Buffer.from(text) };
  await page.getByLabel('Receipt file').setInputFiles(file);
  const genuine = page.getByRole('region', { name: 'The receipt is genuine' });
  await genuine.getByText(shown.voteId).waitFor();
  await genuine.getByText(sessionId).waitFor();
  expect(await genuine.innerText()).toMatch(/Region .+, partition \d+, position [\d,]+/);

  const [header, payload, signature] = text.trim().split('.');
  const claims = JSON.parse(Buffer.from(payload!, 'base64url').toString()) as object;
  const other = { ...claims, vote_id: '33333333-3333-8333-8333-333333333333' };
  const changed = Buffer.from(JSON.stringify(other)).toString('base64url');
  await page.getByLabel('Or the text of the receipt').fill(`${header}.${changed}.${signature}`);
  await page.getByRole('button', { name: 'Check the receipt' }).click();
  await page.getByRole('alert', { name: 'This receipt is not genuine' }).waitFor();
  expect(await genuine.count()).toBe(0);
});

test('keys kept by an earlier visit serve when the page comes without a network for them', async () => {
  const page = await newPage();
  await openCheck(page, 'en');
  await page.route('**/.well-known/jwks.json', (route) => route.abort());
  await page.reload();
  await page.getByText('The public keys are here.').waitFor();
});

test('without a mouse: paste, check, and the verdict has the focus', async () => {
  const page = await newPage();
  const { text } = await saveReceipt(page, 'en');
  await openCheck(page, 'en');
  await page.locator('#receipt').focus();
  await page.keyboard.insertText(text);
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await page.getByRole('region', { name: 'The receipt is genuine' }).waitFor();
  expect(await page.evaluate('document.activeElement.getAttribute("aria-labelledby")')).toBe(
    'verdict',
  );
  // Nothing to check is a field to mend, and the form goes on.
  await page.locator('#receipt').fill('');
  await page.getByRole('button', { name: 'Check the receipt' }).click();
  await page.getByRole('alert').getByRole('link').click();
  expect(await page.evaluate('document.activeElement.id')).toBe('receipt');
});

describe.each(['en', 'ar'])('on a screen of 320 px in %s', (language) => {
  test('a receipt is saved and checked, and nothing scrolls sideways', async () => {
    const page = await newPage({ viewport: { width: 320, height: 640 } });
    const { name, text } = await saveReceipt(page, language);
    await openCheck(page, language);
    const file = { name, mimeType: 'text/plain', buffer: Buffer.from(text) };
    await page.locator('#receipt-file').setInputFiles(file);
    await page.locator('section.receipt').waitFor();
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(320);
    const button = await page.locator('button[type=submit]').boundingBox();
    expect(button?.height).toBeGreaterThanOrEqual(44);
  });
});
