import { expect, test } from 'vitest';
import { Snapshots } from '../../../../regional-core/results/snapshot/snapshots.ts';
import type { Known } from '../../../../regional-core/results/state.ts';
import { viewOf } from '../../../../regional-core/results/view.ts';
import { aSession, closesAtMs, json, opensAtMs, totalsAt } from '../harness.ts';

function known(offset: number, counts: number[] | null = [offset, 0, 0]): Known {
  const totals = totalsAt(offset, counts);
  return {
    session: aSession({ results_policy: 'after_vote' }),
    totals,
    heardAtMs: 0,
    staleSinceMs: null,
    revision: offset,
  };
}

const hit = ({ body }: { body: Buffer }): unknown => json(body.toString())['cache_hit'];

test('a snapshot is encoded once for all requests until something changes', () => {
  let encodes = 0;
  const snapshots = new Snapshots(() => encodes++);
  const first = known(1);
  const voter = viewOf(first, 'voter', opensAtMs);
  expect(hit(snapshots.get(voter))).toBe(false);
  const kept = snapshots.get(viewOf(first, 'voter', opensAtMs + 1));
  expect(hit(kept)).toBe(true);
  expect(snapshots.get(voter)).toBe(kept);
  expect(encodes).toBe(1);
  expect(hit(snapshots.get(viewOf(known(2), 'voter', opensAtMs)))).toBe(false);
  expect(hit(snapshots.get(viewOf(first, 'voter', closesAtMs)))).toBe(false);
  expect(encodes).toBe(3);
});

test('what voters see and what everybody sees are kept apart, with tags of their own', () => {
  const snapshots = new Snapshots(() => undefined);
  const one = known(4);
  const shown = snapshots.getShared(viewOf(one, 'voter', opensAtMs));
  const hidden = snapshots.getShared(viewOf(one, 'public', opensAtMs));
  expect(hit(shown)).toBe(true);
  expect(hit(hidden)).toBe(true);
  expect(hidden.etag).not.toBe(shown.etag);
  expect(hidden.body.toString()).not.toContain('"vote_count":4');
  expect(shown.body.toString()).toContain('"vote_count":4');
});

test('two processes give the same tag to the same content', () => {
  const view = viewOf(known(7), 'voter', opensAtMs);
  const [one, other] = [new Snapshots(() => undefined), new Snapshots(() => undefined)];
  expect(one.get(view).etag).toBe(other.getShared(view).etag);
});

test('the bytes kept are bounded: the oldest encoding goes first', () => {
  const snapshots = new Snapshots(() => undefined);
  const viewNo = (no: number) => {
    const session_id = `11111111-1111-4111-8111-${String(no).padStart(12, '0')}`;
    const of: Known = { ...known(1), session: aSession({ session_id }) };
    return viewOf(of, 'public', opensAtMs);
  };
  const views = Array.from({ length: 2001 }, (_, no) => viewNo(no));
  for (const view of views) snapshots.get(view);
  expect(hit(snapshots.get(views[2000]!))).toBe(true);
  expect(hit(snapshots.get(views[1]!))).toBe(true);
  expect(hit(snapshots.get(views[0]!))).toBe(false);
});
