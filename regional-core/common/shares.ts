import { type Clock, SECOND_MS } from './clock.ts';

/** A session with more than this many times the mean has more than its share. */
const hotTimes = 1.5;

interface Counts {
  readonly bySession: Map<string, number>;
  answered: number;
  refused: number;
}

/** What each session was given in this second and the one before. */
export class Shares {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  #second = 0;
  #now: Counts = noCounts();
  #before: Counts = noCounts();

  constructor(clock: Pick<Clock, 'monotonicMs'>) {
    this.#clock = clock;
  }

  count(sessionId: string): void {
    this.#turn();
    this.#now.answered++;
    this.#now.bySession.set(sessionId, (this.#now.bySession.get(sessionId) ?? 0) + 1);
  }

  /** Counts one that was refused; gives how many are refused for each that is answered. */
  countRefused(): number {
    this.#turn();
    this.#now.refused++;
    const answered = this.#now.answered + this.#before.answered;
    return (this.#now.refused + this.#before.refused) / Math.max(1, answered);
  }

  /** False for the only session: all that there is, is its share. */
  isHot(sessionId: string): boolean {
    this.#turn();
    const sessions = Math.max(this.#now.bySession.size, this.#before.bySession.size);
    if (sessions < 2) return false;
    const own = [this.#now, this.#before].map(({ bySession }) => bySession.get(sessionId) ?? 0);
    const mean = (this.#now.answered + this.#before.answered) / sessions;
    return own[0]! + own[1]! > hotTimes * mean;
  }

  #turn(): void {
    const second = Math.floor(this.#clock.monotonicMs() / SECOND_MS);
    if (second === this.#second) return;
    this.#before = second === this.#second + 1 ? this.#now : noCounts();
    this.#now = noCounts();
    this.#second = second;
  }
}

function noCounts(): Counts {
  return { bySession: new Map(), answered: 0, refused: 0 };
}
