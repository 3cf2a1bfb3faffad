/** Whose lines they are: each kind has its own form, and its own idea of what a human must see. */
export type LogKind = 'service' | 'crowd' | Store;

type Store = 'kafka' | 'postgres' | 'redis';

const LINE_LENGTH_MAX = 400;

/** Told by the prefix, or of use to machines only. */
const hidden = new Set([
  'time',
  'level',
  'msg',
  'service',
  'region',
  'pid',
  'hostname',
  'trace_id',
]);

/** What a human at the terminal sees of a line, or undefined for what only the log file keeps. */
export function forHumans(line: string, kind: LogKind): string | undefined {
  // The crowd's progress would push everything else off the screen.
  if (kind === 'crowd') return undefined;
  const shown = kind === 'service' ? serviceLine(line) : storeLine(line, kind);
  if (shown === undefined || shown.length <= LINE_LENGTH_MAX) return shown;
  return `${shown.slice(0, LINE_LENGTH_MAX)}…`;
}

/** `level message key=value` of a JSON line; any other line as it is. */
function serviceLine(line: string): string | undefined {
  const fields = parseObject(line);
  if (fields === undefined) return line.trim() === '' ? undefined : line;
  const pairs = Object.entries(fields)
    .filter(([name]) => !hidden.has(name))
    .map(([name, value]) => `${name}=${shortly(value)}`);
  return [fields['level'], fields['msg'], ...pairs].filter(Boolean).join(' ');
}

function parseObject(line: string): Record<string, unknown> | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

/** An error is told by its message: its stack is in the log file. */
function shortly(value: unknown): string {
  if (typeof value === 'string') return /[\s"]/.test(value) ? JSON.stringify(value) : value;
  if (typeof value === 'object' && value !== null && 'message' in value) {
    return JSON.stringify(value.message);
  }
  return JSON.stringify(value) ?? '';
}

const storeTrouble: Record<Store, RegExp> = {
  // Its errors of every start (a controller not elected yet, a slow event) mend themselves.
  kafka: / FATAL |OutOfMemoryError|No space left on device|KafkaStorageException/,
  postgres: / (?:FATAL|PANIC): {2}(?!the database system is|terminating connection)/,
  redis: /# (?!.*overcommit).*(?:fail|error|fatal|oom|crash|denied|can't)/i,
};

function storeLine(line: string, kind: Store): string | undefined {
  return storeTrouble[kind].test(line) ? line.trim() : undefined;
}
