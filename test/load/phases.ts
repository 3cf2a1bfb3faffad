import { Histogram } from './histogram.ts';

/** What one phase of an overload run showed; times in milliseconds. */
export interface PhaseReport {
  readonly name: string;
  /** Arrivals a second. */
  readonly rate: number;
  readonly arrived: number;
  readonly accepted: number;
  /** From the intended start to the 201, for voters who came in this phase. */
  readonly submitP50: number;
  readonly submitP99: number;
  /** Attempts that were turned away (503), and how fast: 99th percentile. */
  readonly turnedAway: number;
  readonly turnedAwayP99: number;
}

/** Times of one phase, by the second in which a voter came. */
export class Phase {
  readonly name: string;
  readonly rate: number;
  readonly submit = new Histogram();
  readonly refusal = new Histogram();
  readonly #bySecond: Histogram[] = [];
  arrived = 0;
  accepted = 0;

  constructor(name: string, rate: number) {
    this.name = name;
    this.rate = rate;
  }

  /** @param second since the phase began, in which the voter came */
  took(second: number, ms: number): void {
    this.accepted += 1;
    this.submit.record(ms);
    (this.#bySecond[second] ??= new Histogram()).record(ms);
  }

  /**
   * The second of the phase from which on every second's p99 stays within the bound; undefined when
   * the last one is still over it.
   */
  normalFrom(p99Ms: number): number | undefined {
    let from = 0;
    for (const [second, histogram] of this.#bySecond.entries()) {
      if (histogram !== undefined && histogram.quantile(0.99) > p99Ms) from = second + 1;
    }
    return from >= this.#bySecond.length ? undefined : from;
  }

  report(): PhaseReport {
    return {
      name: this.name,
      rate: this.rate,
      arrived: this.arrived,
      accepted: this.accepted,
      submitP50: this.submit.quantile(0.5),
      submitP99: this.submit.quantile(0.99),
      turnedAway: this.refusal.count,
      turnedAwayP99: this.refusal.quantile(0.99),
    };
  }
}
