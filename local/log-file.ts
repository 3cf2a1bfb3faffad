import { createWriteStream, mkdirSync, renameSync, statSync, type WriteStream } from 'node:fs';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

/** A log keeps this much, and as much again in FILE.1. */
const BYTES_MAX = 20_000_000;
const TAIL_LINES = 30;

/** The file one process logs to: bounded, begun anew at every start of the stack. */
export class LogFile {
  readonly path: string;
  readonly #tail: string[] = [];
  #stream: WriteStream;
  #bytes = 0;

  constructor(path: string) {
    this.path = path;
    mkdirSync(dirname(path), { recursive: true });
    this.#stream = this.#begin();
  }

  write(line: string): void {
    this.#tail.push(line);
    if (this.#tail.length > TAIL_LINES) this.#tail.shift();
    if (this.#bytes > BYTES_MAX) {
      this.#stream.end();
      this.#stream = this.#begin();
    }
    this.#bytes += Buffer.byteLength(line) + 1;
    this.#stream.write(`${line}\n`);
  }

  /** The last lines, for a message about a process that died. */
  get tail(): readonly string[] {
    return this.#tail;
  }

  async close(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#stream.end(() => resolve());
    });
  }

  #begin(): WriteStream {
    if (statSync(this.path, { throwIfNoEntry: false })) renameSync(this.path, `${this.path}.1`);
    this.#bytes = 0;
    const stream = createWriteStream(this.path);
    // A full disk must not end the supervisor: the services say by themselves what they lack.
    stream.on('error', () => {});
    return stream;
  }
}

/** Calls back for every line of a process's output until it ends. */
export function eachLine(output: Readable | null, take: (line: string) => void): void {
  if (output === null) return;
  createInterface({ input: output, crlfDelay: Number.POSITIVE_INFINITY }).on('line', take);
}
