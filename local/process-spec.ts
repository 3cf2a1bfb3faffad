/** How one process of the stack is prepared, started, found ready and asked to end. */
export interface ProcessSpec {
  readonly command: readonly [string, ...string[]];
  /** The whole environment: nothing is inherited. */
  readonly env: Readonly<Record<string, string>>;
  /** SIGTERM drains; Postgres takes SIGINT for "end now, but cleanly". */
  readonly stopSignal: 'SIGTERM' | 'SIGINT';
  /**
   * What the kernel sends when the starter dies without a word. SIGKILL where nothing is lost by
   * it: a drain whose log nobody reads any more may never end, and something would be left behind.
   */
  readonly deathSignal: 'SIGTERM' | 'SIGINT' | 'SIGKILL';
  /** Runs before every start, restarts too: makes folders, clears what a kill left behind. */
  readonly prepare: () => Promise<void>;
  /** One try, bounded to a second: is it ready to work? Never throws. */
  readonly probe: () => Promise<boolean>;
}
