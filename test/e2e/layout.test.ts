import type { Locator, Page } from 'playwright-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { useBrowser } from '../support/browser.ts';
import { addressOf, enterCode } from './screens.ts';
import { createSession } from './sessions.ts';
import { newCode } from './voters.ts';

const newPage = useBrowser();
const phone = { viewport: { width: 320, height: 640 } };
const longWord = 'Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft';
let sessionId: string;
beforeAll(async () => {
  sessionId = await createSession({
    title: `Lied des Jahres: ${longWord}`,
    labels: [`Orchester der ${longWord}`, 'Mira', 'أورورا – أضواء الشمال'],
  });
});

/** Walks from the entry to the receipt by what is the same in each language. */
async function walk(page: Page, language: string, onScreen: (name: string) => Promise<void>) {
  await page.goto(addressOf(sessionId, language));
  await page.locator('.bars').waitFor();
  await onScreen('entry');
  await page.locator('section:has(#email) > button').click();
  await page.locator('#password-hint').waitFor();
  await onScreen('register');
  await page.locator('form:has(#code) button').click();
  await page.locator('.problem').waitFor();
  await onScreen('problem');
  await enterCode(page, newCode(sessionId));
  await onScreen('ballot');
  await page.locator('#option-0').check();
  await page.locator('button.vote').click();
  await page.locator('.confirmation').waitFor();
  await onScreen('receipt');
}

const innerWidth = (page: Page): Promise<number> =>
  page.evaluate('document.documentElement.scrollWidth');

describe.each(['en', 'de', 'ar'])('on a screen of 320 px in %s', (language) => {
  test('no screen scrolls sideways, and no target is small', async () => {
    const page = await newPage(phone);
    const wide: string[] = [];
    await walk(page, language, async (name) => {
      if ((await innerWidth(page)) > 320) wide.push(name);
      for (const button of await page.locator('button:visible').all()) {
        const box = await button.boundingBox();
        expect(box?.height, `height of a button of ${name}`).toBeGreaterThanOrEqual(44);
      }
    });
    expect(wide).toEqual([]);
  });
});

test('text twice as large still fits', async () => {
  const page = await newPage({ viewport: { width: 640, height: 900 } });
  const wide: string[] = [];
  await walk(page, 'de', async (name) => {
    await page.evaluate('document.documentElement.style.fontSize = "200%"');
    if ((await innerWidth(page)) > 640) wide.push(name);
  });
  expect(wide).toEqual([]);
});

const edges = async (locator: Locator): Promise<{ left: number; right: number }> => {
  const box = await locator.boundingBox();
  if (box === null) throw new Error('Nothing to be seen there.');
  return { left: box.x, right: box.x + box.width };
};

test('Arabic reads from right to left, as a mirror of English', async () => {
  for (const [language, mirrored] of [
    ['en', false],
    ['ar', true],
  ] as const) {
    const page = await newPage();
    await page.goto(addressOf(sessionId, language));
    expect(await page.evaluate('document.documentElement.lang')).toBe(language);
    await page.locator('.bars').waitFor();
    const [brand, languages] = [page.locator('.brand'), page.locator('.languages')];
    const brandIsRight = (await edges(brand)).left > (await edges(languages)).left;
    expect(brandIsRight, `brand in ${language}`).toBe(mirrored);
    await enterCode(page, newCode(sessionId));
    const option = page.locator('.option').nth(1);
    const radioIsRight =
      (await edges(option.locator('input'))).left > (await edges(option.locator('bdi'))).left;
    expect(radioIsRight, `radio in ${language}`).toBe(mirrored);
    await option.click();
    await page.locator('button.vote').click();
    const item = page.locator('.bars li', { hasText: 'Mira' });
    await expect.poll(() => item.locator('.bar-fill').getAttribute('style')).not.toContain(': 0%');
    await expectBarFrom(mirrored ? 'right' : 'left', item);
  }
});

/** A bar begins where reading begins. */
async function expectBarFrom(side: 'left' | 'right', item: Locator): Promise<void> {
  const [bar, fill] = [await edges(item.locator('.bar')), await edges(item.locator('.bar-fill'))];
  expect(Math.abs(bar[side] - fill[side])).toBeLessThan(1);
}
