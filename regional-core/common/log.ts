import { writeSync } from 'node:fs';
import { type DestinationStream, type Logger, pino } from 'pino';

export type Log = Logger;

export const logLevels = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof logLevels)[number];

/** Also one level down; `code` is not, because errors have one that is needed. */
const redacted = ['authorization', 'cookie', 'password', 'email', 'token', 'receipt'];

/**
 * JSON lines on standard output: `time` (RFC 3339), `level` (a word), `service`, `region`, `msg`
 * and what the line is about. Requests add `trace_id`. Never a token, an address, an e-mail, or a
 * vote id together with an option: what could be logged by accident is removed by name here.
 */
export function createLog(
  name: { service: string; region?: string },
  level: LogLevel,
  destination: DestinationStream = standardOutput,
): Log {
  const options = {
    level,
    base: name,
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: {
      paths: [...redacted.flatMap((field) => [field, `*.${field}`]), 'code'],
      remove: true,
    },
  };
  return pino(options, destination);
}

/**
 * How often a line is offered to a pipe that is full, a millisecond apart, before it is dropped.
 */
const offersMax = 50;

/**
 * Lines go out one by one, at once: the last one before an end is the one that is needed. Nobody
 * reading any more, or not fast enough, costs lines and never the process (pino's own destination
 * tries for ever at exit when the reader is gone).
 */
const standardOutput: DestinationStream = {
  write: (line) => {
    for (let offer = 0; offer < offersMax; offer++) {
      try {
        writeSync(1, line);
        return;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') return;
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
      }
    }
  },
};
