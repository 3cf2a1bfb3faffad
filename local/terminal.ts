/** The starter's own lines and those of the processes, one prefixed line each. */
export interface Terminal {
  readonly say: (text: string) => void;
  /** A line of a process; more than 20 a second of one process are counted, not shown. */
  readonly line: (id: string, text: string) => void;
}

const LINES_PER_SECOND_MAX = 20;
const PREFIX_LENGTH = 20;

/**
 * `write` gets whole lines, with their end. `now` is in ms and never goes back. How many lines of a
 * process were not shown is told with the next one that is.
 */
export function createTerminal(
  write: (text: string) => void,
  now: () => number = () => performance.now(),
): Terminal {
  const windows = new Map<string, { since: number; lines: number }>();
  const put = (id: string, text: string): void => write(`${id.padEnd(PREFIX_LENGTH)} | ${text}\n`);
  return {
    say: (text) => put('stack', text),
    line: (id, text) => {
      const at = now();
      const window = windows.get(id);
      if (window === undefined || at - window.since >= 1_000) {
        const unseen = (window?.lines ?? 0) - LINES_PER_SECOND_MAX;
        if (unseen > 0) put(id, `(${unseen} more lines in its log file)`);
        windows.set(id, { since: at, lines: 1 });
        return put(id, text);
      }
      window.lines += 1;
      if (window.lines <= LINES_PER_SECOND_MAX) put(id, text);
      return undefined;
    },
  };
}
