import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { useBrowser } from '../support/browser.ts';
import { addressOf, readReceipt, untilHeading } from './screens.ts';
import { createSession } from './sessions.ts';
import { newCode } from './voters.ts';

const newPage = useBrowser();
const tabsMax = 20;

/** The text or the id of what has the focus. */
function focused(page: Page): Promise<string> {
  return page.evaluate(
    '((element) => element.id || element.textContent || "")(document.activeElement)',
  );
}

/** Presses Tab until the focus is there, as somebody without a mouse would. */
async function tabTo(page: Page, name: string): Promise<void> {
  for (let tabs = 0; tabs < tabsMax; tabs++) {
    await page.keyboard.press('Tab');
    if ((await focused(page)) === name) return;
  }
  throw new Error(`${name} is not reached by ${tabsMax} presses of Tab`);
}

test('a vote needs nothing but the keyboard', async () => {
  const sessionId = await createSession({ title: 'By keyboard' });
  const page = await newPage();
  await page.goto(addressOf(sessionId));
  await untilHeading(page, 'By keyboard');
  await page.locator('#code').waitFor();

  await page.keyboard.press('Tab');
  expect(await focused(page)).toBe('Skip to main content');
  await page.keyboard.press('Enter');
  expect(await focused(page)).toBe('main');
  await page.keyboard.press('Tab');
  expect(await focused(page)).toBe('code');
  await page.keyboard.type(newCode(sessionId));
  await page.keyboard.press('Enter');

  // A new screen says where one is: its heading has the focus.
  await page.getByRole('radio').first().waitFor();
  await expect.poll(() => focused(page)).toBe('By keyboard');
  await tabTo(page, 'option-0');
  await page.keyboard.press('ArrowDown');
  expect(await focused(page)).toBe('option-1');
  await tabTo(page, 'Vote');
  await page.keyboard.press('Enter');

  await readReceipt(page);
  await expect.poll(() => focused(page)).toBe('Your vote is recorded');
});

test('the focus can be seen wherever it is', async () => {
  const sessionId = await createSession();
  const page = await newPage();
  await page.goto(addressOf(sessionId));
  await page.locator('#code').waitFor();
  const outlines: string[] = [];
  for (let tabs = 0; tabs < 9; tabs++) {
    await page.keyboard.press('Tab');
    outlines.push(await page.evaluate('getComputedStyle(document.activeElement).outlineStyle'));
  }
  expect(new Set(outlines)).toEqual(new Set(['solid']));
});
