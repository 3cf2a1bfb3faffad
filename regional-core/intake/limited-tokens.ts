import type { Clock } from '#common/clock.ts';

/** Tokens remembered; past it the oldest is forgotten, and its next request is checked in full. */
export const limitedTokensMax = 5000;
/** A ballot token has about 420 characters; longer ones are refused unread. */
const tokenLengthMax = 1024;

/**
 * Ballots whose voter was just told to wait: told again without verifying or asking Redis, so that
 * one who sends without pause costs little.
 */
export class LimitedTokens {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #untilMs = new Map<string, number>();

  constructor(clock: Pick<Clock, 'monotonicMs'>) {
    this.#clock = clock;
  }

  remember(token: string, waitS: number): void {
    if (token.length > tokenLengthMax) return;
    this.#untilMs.delete(token);
    this.#untilMs.set(token, this.#clock.monotonicMs() + waitS * 1000);
    if (this.#untilMs.size > limitedTokensMax) {
      this.#untilMs.delete(this.#untilMs.keys().next().value!);
    }
  }

  /** Whole seconds that are left to wait; 0 when it may be tried. */
  waitS(token: string): number {
    const untilMs = this.#untilMs.get(token);
    if (untilMs === undefined) return 0;
    const leftMs = untilMs - this.#clock.monotonicMs();
    if (leftMs > 0) return Math.ceil(leftMs / 1000);
    this.#untilMs.delete(token);
    return 0;
  }
}
