import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';

/** Nothing but the page under test may use the network, or a run would depend on the day. */
const quietArguments = [
  '--disable-quic',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/**
 * A wait of the page longer than this is a failure; on a busy machine a vote takes a second or two.
 */
const waitMsMax = 15_000;

/** What the page must never cause, whatever a test does: the policy of the page would be broken. */
const violation = /Content Security Policy|TrustedHTML|TrustedScript/;

/**
 * One Chromium for the file (CHROMIUM_PATH, or Debian's place), closed after its last test. The
 * function it returns opens a page in a context of its own: another person at another device. After
 * each test contexts are closed, and a page that threw or broke its policy fails the test.
 */
export function useBrowser(): (options?: BrowserContextOptions) => Promise<Page> {
  let browser: Browser | undefined;
  const faults: string[] = [];
  beforeAll(async () => {
    const isRoot = process.getuid?.() === 0;
    browser = await chromium.launch({
      executablePath: process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium',
      // Chromium's sandbox refuses to run as root.
      args: isRoot ? [...quietArguments, '--no-sandbox'] : quietArguments,
    });
  });
  afterEach(async () => {
    await Promise.all(browser?.contexts().map((context) => context.close()) ?? []);
    expect(faults.splice(0), 'errors inside the page').toEqual([]);
  });
  afterAll(() => browser?.close());
  return async (options = {}) => {
    if (browser === undefined) throw new Error('The browser is used outside a test.');
    const context = await browser.newContext({ locale: 'en-GB', timezoneId: 'UTC', ...options });
    context.setDefaultTimeout(waitMsMax);
    context.on('weberror', (error) => faults.push(String(error.error())));
    context.on('console', (message) => {
      if (violation.test(message.text())) faults.push(message.text());
    });
    return context.newPage();
  };
}
