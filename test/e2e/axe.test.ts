import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { useBrowser } from '../support/browser.ts';
import { addressOf, enterCode } from './screens.ts';
import { createSession, untilState } from './sessions.ts';
import { castOne, newCode } from './voters.ts';

const newPage = useBrowser();
let sessionId: string;
let closedId: string;
beforeAll(async () => {
  closedId = await createSession({ title: 'Closed', closesInMs: 2000 });
  sessionId = await createSession();
  await castOne(sessionId, 'delta');
  await untilState(closedId, 'closed', 10_000);
});

/** What axe finds on the screen, each with the rule and the place. */
async function findings(page: Page, rules?: readonly string[]): Promise<string[]> {
  // The page has no frames: the mode without a page of its own for each look finds the same.
  const axe = new AxeBuilder({ page }).setLegacyMode();
  if (rules !== undefined) axe.withRules([...rules]);
  const { violations } = await axe.analyze();
  return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
}

async function open(address: string, colorScheme: 'light' | 'dark' = 'light'): Promise<Page> {
  const page = await newPage({ colorScheme });
  await page.goto(address);
  return page;
}

describe.each(['en', 'ar'])('axe finds nothing in %s', (language) => {
  test('on the way to the ballot', async () => {
    const page = await open(addressOf(sessionId, language));
    await page.locator('.bars').waitFor();
    expect(await findings(page), 'entry').toEqual([]);
    await page.locator('form:has(#code) button').click();
    await page.locator('.problem').waitFor();
    expect(await findings(page), 'a field to mend').toEqual([]);
    await page.locator('section:has(#email) > button').click();
    await page.locator('#password-hint').waitFor();
    expect(await findings(page), 'register').toEqual([]);
  });

  test('from the ballot to the receipt', async () => {
    const page = await open(addressOf(sessionId, language));
    await enterCode(page, newCode(sessionId));
    expect(await findings(page), 'ballot').toEqual([]);
    await page.locator('button.vote').click();
    await page.locator('.problem').waitFor();
    expect(await findings(page), 'nothing chosen').toEqual([]);
    await page.locator('#option-0').check();
    await page.context().setOffline(true);
    await page.locator('button.vote').click();
    await page.locator('.busy').waitFor();
    expect(await findings(page), 'sending').toEqual([]);
    await page.context().setOffline(false);
    await page.locator('.state.known').waitFor();
    expect(await findings(page), 'receipt').toEqual([]);
    await page.locator('.receipt button.quiet').last().click();
    await page.locator('.notice').waitFor();
    expect(await findings(page), 'next voter').toEqual([]);
  });

  test('where there is nothing to choose', async () => {
    const code = newCode(sessionId);
    const voter = await open(addressOf(sessionId, language));
    const second = await open(addressOf(sessionId, language));
    for (const [choice, page] of [voter, second].entries()) {
      await enterCode(page, code);
      await page.locator(`#option-${choice}`).check();
      await page.locator('button.vote').click();
      await page.locator('.id').waitFor();
    }
    expect(await findings(second), 'duplicate').toEqual([]);
    const closed = await open(addressOf(closedId, language));
    await closed.locator('.bars').waitFor();
    expect(await findings(closed), 'closed').toEqual([]);
    const list = await open(new URL(`/${language}/`, addressOf(sessionId)).href);
    await list.locator('.choices').waitFor();
    expect(await findings(list), 'several sessions').toEqual([]);
    const token = 'A'.repeat(43);
    const verify = await open(new URL(`/${language}/verify?token=${token}`, list.url()).href);
    await verify.locator('.problem').waitFor();
    expect(await findings(verify), 'a link that is not valid').toEqual([]);
    const check = await open(new URL(`/${language}/receipt`, list.url()).href);
    await check.locator('button[type=submit]:not([aria-disabled])').waitFor();
    expect(await findings(check), 'a receipt to check').toEqual([]);
    await check.locator('#receipt').fill('nothing of ours');
    await check.locator('button[type=submit]').click();
    await check.locator('section.problem').waitFor();
    expect(await findings(check), 'no receipt').toEqual([]);
  });
});

test('in the dark all texts can be told from their ground', async () => {
  const contrast = ['color-contrast'];
  const page = await open(addressOf(sessionId), 'dark');
  await page.locator('form:has(#code) button').click();
  await page.locator('.problem').waitFor();
  expect(await findings(page, contrast), 'entry').toEqual([]);
  await enterCode(page, newCode(sessionId));
  await page.locator('#option-0').check();
  expect(await findings(page, contrast), 'ballot').toEqual([]);
  await page.locator('button.vote').click();
  await page.locator('.state.known').waitFor();
  await page.locator('.receipt button.quiet').last().click();
  expect(await findings(page, contrast), 'receipt').toEqual([]);
});
