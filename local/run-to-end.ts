import { execFile } from 'node:child_process';
import { root } from './tools.ts';

/**
 * Runs a command that ends by itself. Throws with the end of its output when it fails or takes
 * longer than `limitMs`; ended with us, or when the signal fires.
 */
export async function runToEnd(
  command: readonly [string, ...string[]],
  env: Readonly<Record<string, string>>,
  limitMs: number,
  signal?: AbortSignal,
): Promise<void> {
  const options = {
    cwd: root,
    env: { PATH: process.env['PATH'] ?? '/usr/bin:/bin', ...env },
    timeout: limitMs,
    killSignal: 'SIGKILL' as const,
    maxBuffer: 8 * 1024 * 1024,
    ...(signal === undefined ? {} : { signal }),
  };
  await new Promise<void>((resolve, reject) => {
    execFile(
      'setpriv',
      ['--pdeathsig', 'KILL', '--', ...command],
      options,
      (error, stdout, stderr) => {
        if (!error) return resolve();
        const end = `${stdout}${stderr}`.trim().split('\n').slice(-8).join('\n');
        const reason = error.killed ? `took longer than ${limitMs} ms` : `failed`;
        reject(new Error(`${command[0].split('/').at(-1)} ${reason}:\n${end}`, { cause: error }));
      },
    );
  });
}
