import type { Page, Request } from 'playwright-core';
import { inject } from 'vitest';

/** What a receipt on the screen says. */
export interface ShownReceipt {
  readonly voteId: string;
  readonly code: string;
}

export function addressOf(sessionId: string, language = 'en'): string {
  return `${inject('stack').edge}/${language}/s/${sessionId}`;
}

/** From the address to the ballot, with a voting code; in any language. */
export async function enterCode(page: Page, code: string): Promise<void> {
  await page.locator('#code').fill(code);
  await page.locator('form:has(#code) button').click();
  await page.locator('fieldset').waitFor();
}

export async function choose(page: Page, label: string): Promise<void> {
  await page.getByRole('radio', { name: label }).check();
}

export async function pressVote(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Vote', exact: true }).click();
}

export async function untilHeading(page: Page, name: string): Promise<void> {
  await page.getByRole('heading', { level: 1, name }).waitFor();
}

/** Waits for the receipt and reads it. */
export async function readReceipt(page: Page): Promise<ShownReceipt> {
  await untilHeading(page, 'Your vote is recorded');
  const receipt = page.getByRole('region', { name: 'Receipt' });
  const line = (name: string): Promise<string> =>
    receipt.locator(`dt:text-is("${name}") + dd`).innerText();
  return { voteId: await line('Vote id'), code: await line('Confirmation code') };
}

/** The posts of votes that the page sends from now on, in order. */
export function watchVotes(page: Page): readonly Request[] {
  const posts: Request[] = [];
  page.on('request', (request) => {
    const isVote = new URL(request.url()).pathname.endsWith('/api/v1/votes');
    if (isVote && request.method() === 'POST') posts.push(request);
  });
  return posts;
}
