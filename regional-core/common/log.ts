import { type DestinationStream, type Logger, pino } from 'pino';

export type Log = Logger;

export const logLevels = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof logLevels)[number];

/**
 * JSON lines on standard output: `time` (RFC 3339), `level` (a word), `service`, `region`, `msg`
 * and what the line is about. Requests add `trace_id`. Never a token, an address, an e-mail, or a
 * vote id together with an option: what could be logged by accident is removed by name here.
 */
export function createLog(
  name: { service: string; region?: string },
  level: LogLevel,
  destination?: DestinationStream,
): Log {
  const options = {
    level,
    base: name,
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: {
      paths: [
        'authorization',
        'cookie',
        'password',
        'email',
        'code',
        '*.authorization',
        '*.cookie',
      ],
      remove: true,
    },
  };
  return destination === undefined ? pino(options) : pino(options, destination);
}
