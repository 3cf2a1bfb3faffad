import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { createLog } from '#common/log.ts';

function logged(act: (log: ReturnType<typeof createLog>) => void): Record<string, unknown>[] {
  const lines: string[] = [];
  const destination = { write: (line: string) => void lines.push(line) };
  act(createLog({ service: 'intake', region: 'us-east-1' }, 'info', destination));
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

test('a line says when, how grave, who and what', () => {
  const [line, ...more] = logged((log) => {
    log.info({ partitions: 3 }, 'counting');
    log.debug('not shown');
  });
  expect(line).toMatchObject({
    level: 'info',
    service: 'intake',
    region: 'us-east-1',
    partitions: 3,
    msg: 'counting',
  });
  expect(line!['time']).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  expect(more).toEqual([]);
});

test('what must not be logged is taken out by its name', () => {
  const secret = { authorization: 'Bearer x', cookie: 'x', password: 'x', email: 'x', code: 'x' };
  const [line] = logged((log) => log.info({ ...secret, request: secret }, 'request'));
  expect(line!['request']).toEqual({ code: 'x' });
  expect(line).not.toHaveProperty('code');
  expect(Object.keys(line!)).not.toEqual(expect.arrayContaining(['password']));
  expect(JSON.stringify(line)).not.toContain('Bearer');
});

test('a process whose reader is gone goes on and ends', async () => {
  const script = `
    const { createLog } = await import('./regional-core/common/log.ts');
    const log = createLog({ service: 'x' }, 'info');
    await new Promise((resolve) => process.stdin.once('data', resolve));
    for (let line = 0; line < 1000; line++) log.info('nobody reads this');
    process.exit(7);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  child.stdout.destroy();
  child.stdin.write('go\n');
  const [code] = (await once(child, 'exit')) as [number];
  expect(code).toBe(7);
});
