import type { Page } from 'playwright-core';
import { expect, inject, test, vi } from 'vitest';
import { systemClock } from '#common/clock.ts';
import { finaliseSession } from '../../local/cli/finalise-session.ts';
import { recountSession, recountSources } from '../../local/cli/recount/recount-session.ts';
import { logIn } from '../../local/portal-client.ts';
import { useBrowser } from '../support/browser.ts';
import { createSigningKey } from '../support/votes.ts';
import { ask } from './ask.ts';
import { addressOf } from './screens.ts';
import { createSession } from './sessions.ts';
import { castOne } from './voters.ts';

const newPage = useBrowser();
/** Closing, 5 s of grace, seals, settling; a busy machine takes its time. */
const sealedMsMax = 60_000;
const copyMsMax = 15_000;

/** The two first admins, each with a key of their own that is registered. */
async function twoPeople() {
  const { portal, demo } = inject('stack');
  const clients = [await logIn(portal, demo.admin), await logIn(portal, demo.second)];
  const people = clients.map((client) => ({ client, key: createSigningKey() }));
  for (const { client, key } of people) {
    await client.post('/approval-keys', { x: key.publicJwk.x });
  }
  return people;
}

/** Each recounts and signs, as the command does. */
async function agreeOn(sessionId: string): Promise<void> {
  const { postgres, regions, edge } = inject('stack');
  const stores = { postgres, regions, topicPrefix: '' };
  for (const person of await twoPeople()) {
    await finaliseSession(
      {
        ...person,
        recount: () => recountSession(stores, sessionId, { sources: recountSources }),
        write: () => undefined,
        clock: systemClock,
        resultsUrl: edge,
      },
      sessionId,
    );
  }
}

const region = (page: Page, name: string) => page.getByRole('region', { name });

test('a page that stays open shows a provisional result, then the final one and its address', {
  timeout: 180_000,
}, async () => {
  const sessionId = await createSession({ title: 'To the end', closesInMs: 6000 });
  for (const optionId of ['delta', 'delta', 'mira']) await castOne(sessionId, optionId);
  const page = await newPage();
  await page.goto(addressOf(sessionId));
  const provisional = region(page, 'Provisional result');
  await provisional.getByText('Voting has closed.').waitFor({ timeout: 20_000 });
  await provisional.getByText('is being checked').waitFor({ timeout: sealedMsMax });
  // The edge may hand out the copy it has once more while it asks for a new one.
  await expect
    .poll(async () => (await ask(`/api/v1/results/${sessionId}`)).body, { timeout: 10_000 })
    .toMatchObject({ state: 'sealed', is_finalized: false, final_url: null });

  await agreeOn(sessionId);
  const final = region(page, 'Final result');
  await final.getByText('3 votes counted', { exact: true }).waitFor({ timeout: 30_000 });
  const link = final.getByRole('link', { name: 'The lasting address of this result' });
  const address = new URL((await link.getAttribute('href'))!, page.url()).pathname;
  const first = await ask(address);
  expect(first.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
  expect(first.body).toMatchObject({ title: 'To the end', total_votes: 3, is_finalized: true });
  const counts = first.body['options'] as { vote_count: number }[];
  expect(counts.map(({ vote_count }) => vote_count)).toEqual([0, 2, 1]);
  expect(address).toBe(`/api/v1/results/${sessionId}/final/${String(first.body['digest'])}`);

  // The address of before says where the result stands now; the edge may hold an old copy of it for
  // a moment, which is why the result has moved.
  await vi.waitFor(async () => {
    const before = await ask(`/api/v1/results/${sessionId}`);
    expect(before.body).toMatchObject({ state: 'final', final_url: address, total_votes: 3 });
    expect(before.headers.get('link')).toBe(`<${address}>; rel="canonical"`);
  }, copyMsMax);
});
