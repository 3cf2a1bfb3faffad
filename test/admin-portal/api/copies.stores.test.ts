import { describe, expect, test } from 'vitest';
import { HOUR_MS, systemClock, toTimestamp } from '#common/clock.ts';
import { actBody, actHash, signAct } from '#common/contracts/act.ts';
import { createCopies } from '#common/copies.ts';
import { createSigningKey } from '../../support/votes.ts';
import { startTestPortal } from './test-portal.ts';

// No copy follows this database, so one copy is one too many: what is written is never answered.
const it = await startTestPortal();
const cookie = await it.login();
const { copies: none } = it.portal;
const one = createCopies({
  pool: it.pool,
  copiesMin: 1,
  // Three seconds pass at once.
  clock: { ...systemClock, after: (_ms, act) => systemClock.after(0, act), monotonicMs: leaps() },
  onLate: () => undefined,
});

function leaps(): () => number {
  let nowMs = 0;
  return () => (nowMs += 2000);
}

function useCopies(copies: typeof one): void {
  Object.assign(it.portal, { copies });
}

const form = {
  title: 'Song of the year',
  options: [{ label: 'A' }, { label: 'B' }],
  opens_at: toTimestamp(Date.now() - HOUR_MS),
  closes_at: toTimestamp(Date.now() + HOUR_MS),
  eligibility: [{ policy: 'code' }],
  results_policy: 'on_release',
};
const key = createSigningKey();
const body = actBody({ act: 'declare_lost', region: 'us-east-1', epoch: 1 });

describe('a command that the copies do not have yet', () => {
  test.each<[string, (session: string) => readonly [string, unknown, Record<string, string>?]]>([
    ['creating', () => ['/sessions', form, { 'idempotency-key': 'k' }]],
    ['closing', (session) => [`/sessions/${session}/close`, undefined]],
    ['opening what is open', (session) => [`/sessions/${session}/open`, undefined]],
    ['an admin', () => ['/admins', { email: 'b@vote.example', password: 'a long password' }]],
    ['a key', () => ['/approval-keys', { x: key.publicJwk.x }]],
    ['an act', () => ['/acts', { body }]],
    ['a signature', () => [`/acts/${actHash(body)}/signatures`, signAct(body, key)]],
  ])(
    '%s is of unknown outcome; asked again when they have it, it is answered',
    async (_case, of) => {
      await it.superuser.query(
        `INSERT INTO votes.regions (region) VALUES ('us-east-1'), ('us-west-2')
       ON CONFLICT DO NOTHING`,
      );
      const session = await it.call('POST', '/sessions', { cookie, body: form });
      const [path, sent, headers = {}] = of(String(session.body['session_id']));
      const ask = () => it.call('POST', path, { cookie, headers, body: sent });
      useCopies(one);
      const late = await ask();
      const again = await ask();
      useCopies(none);
      const answered = await ask();
      expect([late.status, late.body['error']]).toEqual([503, 'outcome_unknown']);
      expect(late.headers.get('retry-after')).toBe('2');
      expect(again.status).toBe(503);
      if (path.endsWith('signatures')) {
        // Recorded, and said so: the same person does not sign twice.
        expect(answered.body['message']).toBe(
          'You have signed this already; another person has to.',
        );
      } else {
        expect([200, 201]).toContain(answered.status);
      }
    },
  );
});
