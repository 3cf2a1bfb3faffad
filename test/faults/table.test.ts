import { expect, test } from 'vitest';
import type { Outcome } from './run.ts';
import type { Scenario } from './scenario.ts';
import { render } from './table.ts';

const scenario = (id: string): Scenario => ({
  id,
  fault: `fault of ${id}`,
  done: (scale) => `done ${scale} | with a bar`,
  run: async () => {},
});
const known = [scenario('F10'), scenario('F9'), { id: 'F2', fault: 'f', elsewhere: 'in a test' }];

function outcome(id: string, changes: Partial<Outcome> = {}): Outcome {
  const base = { scale: 'short', findings: [], figures: undefined, recoveryS: 1.25 } as const;
  return { scenario: scenario(id), ...base, notes: [], tookS: 9, ...changes };
}

const idsOf = (page: string): string[] =>
  page.split('\n').flatMap((line) => /^\| (F\S+) \|/.exec(line)?.[1] ?? []);

test('rows stand in the order of the catalogue’s numbers, those from elsewhere too', () => {
  const page = render('', [outcome('F10'), outcome('F9')], known, '2026-01-01');
  expect(idsOf(page)).toEqual(['F2', 'F9', 'F10']);
});

test('a row is replaced when its scenario runs again at its scale, and others stay', () => {
  const first = render('', [outcome('F9'), outcome('F10')], known, '2026-01-01');
  const full = render(first, [outcome('F9', { scale: 'full' })], known, '2026-01-02');
  const again = render(full, [outcome('F9')], known, '2026-01-03');
  const lines = again.split('\n').filter((line) => /^\| F(9|10)/.test(line));
  expect(lines).toHaveLength(3);
  expect(lines.find((line) => line.includes('| F9 |') && line.includes('| short |'))).toContain(
    '2026-01-03',
  );
  expect(lines.find((line) => line.includes('| full |'))).toContain('2026-01-02');
  expect(lines.find((line) => line.includes('| F10 |'))).toContain('2026-01-01');
});

test('a row says what does not hold, and a bar in a text does not break it', () => {
  const findings = [{ name: 'no 201 is lost', ok: false, text: '3 not' }];
  const page = render('', [outcome('F9', { findings })], known, '2026-01-01');
  const row = page.split('\n').find((line) => line.startsWith('| F9'))!;
  expect(row).toContain('failed: no 201 is lost');
  expect(row.split('|')).toHaveLength(18);
});
