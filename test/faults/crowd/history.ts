import { closeSync, openSync, writeSync } from 'node:fs';

/**
 * What clients saw, as Jepsen's checkers read it: `ok` was answered with 201, `fail` was refused
 * (4xx: this request wrote nothing), `unknown` may or may not have written something (5xx, cut,
 * time-out), `open` has no end yet.
 */
export type AttemptOutcome = 'ok' | 'fail' | 'unknown' | 'open';

/** One request of one voter. Times are milliseconds of the lab's monotonic clock. */
export interface Attempt {
  readonly voteId: string;
  readonly optionNo: number;
  readonly region: string;
  readonly sentMs: number;
  endMs: number;
  outcome: AttemptOutcome;
  /** The error's code; `network` or `timeout` without an answer. */
  code: string | undefined;
  status: number | undefined;
  answer: Accepted | undefined;
}

/** What a 201 says. */
export interface Accepted {
  readonly vote_id: string;
  readonly confirmation_code: string;
  readonly timestamp: string;
  readonly receipt: string;
}

/** Every attempt of a run, in memory for the checker and as JSON lines for people. */
export class History {
  readonly attempts: Attempt[] = [];
  readonly #file: number;

  constructor(path: string) {
    this.#file = openSync(path, 'w');
  }

  invoke(voteId: string, optionNo: number, region: string): Attempt {
    const attempt: Attempt = {
      voteId,
      optionNo,
      region,
      sentMs: performance.now(),
      endMs: Number.NaN,
      outcome: 'open',
      code: undefined,
      status: undefined,
      answer: undefined,
    };
    this.attempts.push(attempt);
    this.#write('invoke', attempt);
    return attempt;
  }

  end(attempt: Attempt, how: Pick<Attempt, 'outcome' | 'code' | 'status' | 'answer'>): void {
    attempt.endMs = performance.now();
    Object.assign(attempt, how);
    this.#write(how.outcome, attempt);
  }

  close(): void {
    closeSync(this.#file);
  }

  #write(event: AttemptOutcome | 'invoke', attempt: Attempt): void {
    writeSync(this.#file, `${JSON.stringify({ event, ...attempt })}\n`);
  }
}
