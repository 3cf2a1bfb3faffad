import { join } from 'node:path';

/** Where a stack keeps what it writes: all of it below `.local/`, which git ignores. */
export interface Places {
  readonly local: string;
  /** The stores' data; `--clean` drops it. */
  readonly data: string;
  readonly log: string;
  readonly secrets: string;
  readonly compileCache: string;
  readonly ports: string;
  /** Who runs the stack: pid and start time. */
  readonly lock: string;
  /** What runs where, for programs: written when ready, gone after the stop. */
  readonly stack: string;
}

/** Names alone: nothing is made or looked at. */
export function placesIn(local: string): Places {
  return {
    local,
    data: join(local, 'data'),
    log: join(local, 'log'),
    secrets: join(local, 'secrets'),
    compileCache: join(local, 'compile-cache'),
    ports: join(local, 'ports.json'),
    lock: join(local, 'up.lock'),
    stack: join(local, 'stack.json'),
  };
}
