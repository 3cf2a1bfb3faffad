import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { systemClock } from '#common/clock.ts';
import {
  type ListedSession,
  SessionList,
} from '../../../../regional-core/identity/session/session-list.ts';

function createSession(session_no: number, changes: Partial<ListedSession> = {}): ListedSession {
  return {
    session_no,
    session_id: randomUUID(),
    version: 1,
    title: 'A final',
    options: [],
    opens_at_ms: 0,
    closes_at_ms: 1,
    eligibility: ['code'],
    results_policy: 'live',
    is_final: false,
    ...changes,
  };
}

function createTable(...rows: ListedSession[]) {
  const table = { rows, reads: 0, isAway: false };
  const list = new SessionList(async () => {
    table.reads += 1;
    if (table.isAway) throw new Error('away');
    return table.rows;
  }, systemClock);
  return { table, list };
}

test('sessions are listed newest first once they are read', async () => {
  const { list } = createTable(createSession(1), createSession(3), createSession(2));
  expect([list.isLoaded, list.ageS()]).toEqual([false, Number.POSITIVE_INFINITY]);
  await list.refresh();
  expect(list.isLoaded).toBe(true);
  expect(list.all().map(({ session_no }) => session_no)).toEqual([3, 2, 1]);
  expect(list.ageS()).toBeLessThan(5);
});

test('a lower version never replaces a higher one', async () => {
  const session = createSession(1, { version: 5, title: 'newer' });
  const { table, list } = createTable(session);
  await list.refresh();
  table.rows = [{ ...session, version: 4, title: 'older' }];
  await list.refresh();
  expect(list.get(session.session_id)?.title).toBe('newer');
});

test('an unknown id asks for a read, and many at once share one', async () => {
  const { table, list } = createTable();
  await list.refresh();
  const session = createSession(1);
  table.rows = [session];
  const found = await Promise.all(
    Array.from({ length: 50 }, (_, at) => list.find(at === 0 ? session.session_id : randomUUID())),
  );
  expect(found[0]).toEqual(session);
  expect(found.slice(1)).toEqual(Array(49).fill(undefined));
  expect(table.reads).toBe(2);
});

test('a known session is found while Postgres is away; whether an unknown one is there is not known', async () => {
  const session = createSession(1);
  const { table, list } = createTable(session);
  await list.refresh();
  table.isAway = true;
  expect(await list.find(session.session_id)).toEqual(session);
  await expect(list.find(randomUUID())).rejects.toThrow('away');
  table.isAway = false;
  expect(await list.find(randomUUID())).toBeUndefined();
});
