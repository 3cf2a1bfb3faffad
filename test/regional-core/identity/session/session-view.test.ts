import { expect, test } from 'vitest';
import { viewSessions } from '../../../../regional-core/identity/session/session-view.ts';

test('a list shows at most a hundred sessions and none that is closed', () => {
  const sessions = Array.from({ length: 300 }, (_, index) => ({
    session_no: 300 - index,
    session_id: `session-${300 - index}`,
    version: 1,
    title: 'A final',
    options: [],
    opens_at_ms: 0,
    closes_at_ms: index % 2 === 0 ? 1000 : 3000,
    eligibility: ['code'] as const,
    results_policy: 'live' as const,
    is_final: false,
  }));
  const views = viewSessions(sessions, 'http://results', 2000);
  expect(views).toHaveLength(100);
  expect(views[0]?.session_id).toBe('session-299');
  expect(views.every(({ state }) => state === 'open')).toBe(true);
});
