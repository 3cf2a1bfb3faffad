import { sleep } from '#common/clock.ts';
import type { Voter, Voters } from './voters.ts';

export interface CrowdOptions {
  /** Voters that arrive each second, whether earlier ones were answered or not. */
  readonly rate: number;
  readonly options: number;
  /** In the order in which a voter tries them; half of the voters begin with the second. */
  readonly regions: readonly string[];
  /** How long a voter goes on trying. */
  readonly patienceMs: number;
}

const tickMs = 20;

/** An open loop of voters that come, vote as the page does, and go. */
export class Crowd {
  readonly #voters: Voters;
  readonly #options: CrowdOptions;
  readonly #stop = new AbortController();
  readonly #voting = new Set<Promise<unknown>>();
  readonly #running: Promise<void>;
  arrived = 0;

  constructor(voters: Voters, options: CrowdOptions) {
    this.#voters = voters;
    this.#options = options;
    this.#running = this.#run();
  }

  /** No more arrive; resolves when the last of them has an outcome or has lost patience. */
  async end(): Promise<void> {
    this.#stop.abort();
    await this.#running;
    await Promise.all(this.#voting);
  }

  async #run(): Promise<void> {
    const startedAt = performance.now();
    while (!this.#stop.signal.aborted) {
      const due = ((performance.now() - startedAt) / 1000) * this.#options.rate;
      while (this.arrived < due) this.#arrive();
      await sleep(tickMs, this.#stop.signal);
    }
  }

  #arrive(): void {
    const number = this.arrived;
    this.arrived += 1;
    const { options, regions, patienceMs } = this.#options;
    const voter: Voter = this.#voters.make();
    const order = regions.map((_, at) => regions[(at + number) % regions.length]!);
    const voting = this.#voters.vote(voter, number % options, order, patienceMs);
    this.#voting.add(voting);
    void voting.finally(() => this.#voting.delete(voting));
  }
}
