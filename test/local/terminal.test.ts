import { expect, test } from 'vitest';
import { createTerminal } from '../../local/terminal.ts';

test('a line carries the name of its process', () => {
  const out: string[] = [];
  createTerminal((text) => out.push(text)).line('intake(us-east-1)', 'info started');
  expect(out).toEqual(['intake(us-east-1)    | info started\n']);
});

test('a flood of one process is counted, and the others are still heard', () => {
  const out: string[] = [];
  let now = 0;
  const terminal = createTerminal(
    (text) => out.push(text),
    () => now,
  );
  for (let line = 0; line < 50; line += 1) terminal.line('intake', 'refused');
  terminal.line('ledger', 'started');
  expect(out).toHaveLength(21);
  now = 1_000;
  terminal.line('intake', 'calm again');
  expect(out.slice(21)).toEqual([
    'intake               | (30 more lines in its log file)\n',
    'intake               | calm again\n',
  ]);
});
