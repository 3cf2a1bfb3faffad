import { connect } from 'node:net';

const PROBE_MS_MAX = 1_000;

/**
 * Sends bytes to a port of this machine and judges the first bytes that come back. Resolves to
 * false for a refused connection, silence of a second, or another answer.
 */
export async function answers(
  port: number,
  question: Uint8Array | string,
  isRight: (answer: Buffer) => boolean,
): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port, timeout: PROBE_MS_MAX });
    const finish = (verdict: boolean): void => {
      socket.destroy();
      resolve(verdict);
    };
    socket.once('connect', () => socket.write(question));
    socket.once('data', (answer) => finish(isRight(answer)));
    socket.once('timeout', () => finish(false));
    socket.once('error', () => finish(false));
    socket.once('close', () => finish(false));
  });
}

/** Whether a GET on this machine answers 200 within a second. */
export async function answersOk(port: number, path: string): Promise<boolean> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      signal: AbortSignal.timeout(PROBE_MS_MAX),
    });
    await response.arrayBuffer();
    return response.status === 200;
  } catch {
    return false;
  }
}
