import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isNewerSession, type SessionMessage } from '#common/contracts/session.ts';
import {
  contradictsFinal,
  sessionToTell,
} from '../../../regional-core/publisher/session-to-tell.ts';
import { sessionMessage } from '../../support/session.ts';

const session = sessionMessage({
  version: 3,
  session_no: 7,
  options: [],
  opens_at_ms: 1000,
  closes_at_ms: 2000,
  sealed_at_ms: 2100,
  final: null,
});
const final = (digest = 'd') => ({
  digest,
  counts: [1, 2],
  total: 3,
  at_ms: 2200,
  act_hash: 'a',
});

test('a database that has lost commits says no older version', () => {
  const told = { ...session, version: 4, final: final() };
  expect(sessionToTell(session, told, 3000)).toBe(told);
  expect(sessionToTell({ ...session, version: 9 }, { ...told, epoch: 2 }, 3000).version).toBe(4);
});

test('one that has lost the final result and moved on does not take it back', () => {
  const told = { ...session, final: final() };
  const read = { ...session, version: 5, title: 'Mended', sealed_at_ms: null };
  expect(sessionToTell(read, told, 3000)).toEqual({ ...told, version: 5, title: 'Mended' });
});

test('another final result than the one told is not told, and is a contradiction', () => {
  const told = { ...session, final: final() };
  const read = { ...session, version: 5, final: final('e') };
  expect(sessionToTell(read, told, 3000).final).toEqual(final());
  expect(contradictsFinal(read, told)).toBe(true);
  expect(contradictsFinal(told, told)).toBe(false);
  expect(contradictsFinal({ ...read, final: null }, told)).toBe(false);
});

test('counts of a final result stay in the database until the result is released', () => {
  const kept = { ...session, results_policy: 'on_release' as const, final: final() };
  const told = sessionToTell(kept, undefined, 3000);
  expect(told.final).toMatchObject({ digest: 'd', counts: null });
  const released = { ...kept, version: 4, released_at_ms: 3000 };
  expect(sessionToTell(released, told, 3001).final?.counts).toEqual([1, 2]);
  // The release was told a moment early: the counts follow with the same version.
  const early = sessionToTell(released, told, 2999);
  expect(early.final?.counts).toBeNull();
  expect(sessionToTell(released, early, 3001).final?.counts).toEqual([1, 2]);
});

test('whatever the database says, versions never fall and the first final result stays', () => {
  const read = fc.record({
    epoch: fc.integer({ min: 1, max: 2 }),
    version: fc.nat(5),
    final: fc.option(fc.constantFrom('d', 'e').map(final)),
  });
  fc.assert(
    fc.property(fc.array(read, { maxLength: 12 }), (reads) => {
      let told: SessionMessage | undefined;
      let first: string | undefined;
      for (const each of reads) {
        const next = sessionToTell({ ...session, ...each }, told, 3000);
        if (told !== undefined) expect(isNewerSession(told, next)).toBe(false);
        first ??= next.final?.digest;
        expect(next.final?.digest).toBe(first);
        told = next;
      }
    }),
  );
});
