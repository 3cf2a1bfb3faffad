import { readFile, writeFile } from 'node:fs/promises';
import type { Outcome } from './run.ts';
import type { Elsewhere, Scenario } from './scenario.ts';

const columns = [
  'fault',
  'scale',
  'what is done',
  'accepted',
  'counted',
  'duplicate',
  'replayed',
  'late',
  'unknown',
  'lost',
  'recovery s',
  'pause s',
  'more',
  'date',
  'result',
];

const heading = `# Faults

What the fault lab did to the whole system under load, and what became of the votes. Written by
\`npm run faults\`: a row is replaced when its scenario runs again at its scale, the others
stay.

Accepted: voters with a 201. Counted: voters with a row that counts; it may exceed accepted by
voters whose answer was lost. Duplicate, replayed, late: records. Unknown: voters without a 201
when their patience ended: 45 s, or less where a session closes; who is asked to wait longer than
that gives up at once. Lost: voters with a 201 and no counted row that is not late; where a region
is destroyed that kept the only copy, the row says whether they are the ones listed. Recovery:
from the end of the fault until every log was counted to its end and the last voter had an
outcome. Pause: the longest time without a 201 while voters were coming.

Scales: \`short\` is the least that shows the fault; \`full\` is as the catalogue asks, as far
as two cores go. Ballots are signed by the lab with identity's key, and voters come past the
edge; until there is an audit store, Kafka alone stands for it.
`;

/** Puts the rows of a run into the page; rows of scenarios that did not run stay as they are. */
export async function updateTable(
  path: string,
  outcomes: readonly Outcome[],
  known: readonly (Scenario | Elsewhere)[],
  date: string,
): Promise<void> {
  const page = await readFile(path, 'utf8').catch(() => '');
  await writeFile(path, render(page, outcomes, known, date));
}

/** The page with these outcomes in it. */
export function render(
  page: string,
  outcomes: readonly Outcome[],
  known: readonly (Scenario | Elsewhere)[],
  date: string,
): string {
  const rows = new Map<string, string>();
  for (const line of page.split('\n')) {
    const [, id, , scale] = line.split('|').map((cell) => cell.trim());
    if (id !== undefined && /^F\d/.test(id)) rows.set(`${id} ${scale}`, line);
  }
  for (const one of known) {
    if ('elsewhere' in one) rows.set(`${one.id} –`, elsewhereRow(one));
  }
  for (const outcome of outcomes) {
    rows.set(`${outcome.scenario.id} ${outcome.scale}`, outcomeRow(outcome, date));
  }
  const isKnown = (key: string): boolean => known.some(({ id }) => key.startsWith(`${id} `));
  const sorted = [...rows].filter(([key]) => isKnown(key)).toSorted(byNumber);
  const lines = [
    `| | ${columns.join(' | ')} |`,
    `|${'---|'.repeat(columns.length + 1)}`,
    ...sorted.map(([, line]) => line),
  ];
  return `${heading}\n${lines.join('\n')}\n`;
}

function byNumber([one]: [string, string], [other]: [string, string]): number {
  const number = (key: string): number => Number(/\d+/.exec(key)?.[0]);
  return number(one) - number(other) || (one < other ? 1 : -1);
}

function elsewhereRow({ id, fault, elsewhere }: Elsewhere): string {
  const blanks = Array.from({ length: 9 }, () => '');
  return `| ${[id, fault, '–', elsewhere, ...blanks, '', 'elsewhere'].join(' | ')} |`;
}

function outcomeRow(outcome: Outcome, date: string): string {
  const { scenario, scale, figures, findings, notes, recoveryS } = outcome;
  const failed = findings.filter(({ ok }) => !ok);
  const result =
    failed.length === 0 ? 'passed' : `failed: ${failed.map(({ name }) => name).join('; ')}`;
  const cells = [
    scenario.id,
    scenario.fault,
    scale,
    scenario.done(scale),
    figures?.accepted,
    figures?.counted,
    figures?.duplicate,
    figures?.replayed,
    figures?.late,
    figures?.unknown,
    figures?.lost,
    recoveryS.toFixed(1),
    figures?.pauseS.toFixed(1),
    notes.join('; '),
    date,
    result,
  ];
  return `| ${cells.map((cell) => String(cell ?? '').replaceAll(/[|\n]/g, ' ')).join(' | ')} |`;
}

/** One outcome for a terminal: a line of figures, and a line for each thing that does not hold. */
export function outcomeLines({ scenario, scale, figures, findings, ...rest }: Outcome): string[] {
  const failed = findings.filter(({ ok }) => !ok);
  const numbers = Object.entries(figures ?? {}).map(([name, value]) =>
    name === 'pauseS' ? `pause ${Number(value).toFixed(1)} s` : `${name} ${value}`,
  );
  return [
    `${scenario.id} ${failed.length === 0 ? 'passed' : 'FAILED'} (${scale}, ${rest.tookS.toFixed(0)} s): ${scenario.fault}`,
    `    ${numbers.join(', ')}, recovery ${rest.recoveryS.toFixed(1)} s`,
    ...rest.notes.map((note) => `    ${note}`),
    ...failed.map(({ name, text }) => `    FAILED ${name}: ${text}`),
  ];
}
