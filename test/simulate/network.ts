import type { Coverage, Cut } from './coverage.ts';
import type { Random } from './random.ts';
import type { Process, Timeline } from './timeline.ts';
import type { Trace } from './trace.ts';

/** One await of production code on something outside its process. */
export interface Call<T> {
  readonly from: Process;
  /** `room.method`: the row of the coverage table. */
  readonly point: string;
  /** What may be cut off as a whole: `us-east-1:kafka`, `us-west-2:postgres`. */
  readonly route: string;
  /** The far end: runs when the request arrives. A rejection is an answer like any other. */
  readonly serve: () => T | Promise<T>;
  /** How long the caller's client waits before it gives up, ms. */
  readonly patienceMs: number;
  /** What the caller's client throws when the answer is lost, at once or after its patience. */
  readonly lost: (why: 'reset' | 'timeout') => Error;
}

/** Faults of some awaits with a probability, for a while. */
export interface Storm {
  /** The points hit: every one that begins so. */
  readonly points: string;
  readonly cut: Cut;
  readonly probability: number;
  readonly untilMs: number;
}

/** The nth await of a point is hit by this fault. */
export interface PlannedCut {
  readonly point: string;
  readonly cut: Cut;
  nth: number;
}

const slowMs = { min: 300, max: 4000 };

/**
 * What lies between a process and everything else. Requests and answers take time, get lost, come
 * late; a process dies while its request is on the way, or before the answer comes.
 */
export class Network {
  readonly #timeline: Timeline;
  readonly #random: Random;
  readonly #coverage: Coverage;
  readonly #trace: Trace;
  readonly #kill: (process: Process) => void;
  readonly #cutRoutes = new Map<string, number>();
  planned: PlannedCut[] = [];
  storms: Storm[] = [];
  /** Longest that a message takes when nothing is wrong, ms. */
  latencyMs = 6;

  constructor(parts: {
    timeline: Timeline;
    random: Random;
    coverage: Coverage;
    trace: Trace;
    kill: (process: Process) => void;
  }) {
    this.#timeline = parts.timeline;
    this.#random = parts.random;
    this.#coverage = parts.coverage;
    this.#trace = parts.trace;
    this.#kill = parts.kill;
  }

  /** Everything on this route is lost until then. */
  cutRoute(route: string, untilMs: number): void {
    this.#cutRoutes.set(route, untilMs);
  }

  call<T>(call: Call<T>): Promise<T> {
    const cut = this.#choose(call.point);
    this.#trace.add(this.#timeline.nowMs, call.from.name, call.point, cut ?? '');
    if (cut !== undefined) this.#coverage.hit(call.point, cut);
    return new Promise((resolve, reject) => new Exchange(this, call, cut, resolve, reject).start());
  }

  /** A wait of a process on its own clock; killed before it ends, or just after. */
  wait(process: Process, point: string, act: () => void): () => void {
    if (this.planned.length === 0 && this.storms.length === 0) return act;
    const cut = this.#choose(point);
    if (cut !== 'killed before' && cut !== 'killed after') return act;
    this.#coverage.hit(point, cut);
    this.#trace.add(this.#timeline.nowMs, process.name, point, cut);
    return () => {
      if (cut === 'killed after') {
        act();
        this.#timeline.after(0, () => this.#kill(process));
      } else this.#kill(process);
    };
  }

  get nowMs(): number {
    return this.#timeline.nowMs;
  }

  isCut(route: string): boolean {
    return (this.#cutRoutes.get(route) ?? 0) > this.#timeline.nowMs;
  }

  kill(process: Process): void {
    this.#kill(process);
  }

  delay(cut: Cut | undefined): number {
    const random = this.#random;
    if (cut === 'answer late' || cut === 'request late')
      return random.whole(slowMs.min, slowMs.max);
    return 0.2 + random.fraction() * this.latencyMs;
  }

  /** A lost message is noticed at once (the connection broke) or never. */
  isReset(): boolean {
    return this.#random.chance(0.7);
  }

  after(ms: number, act: () => void, owner?: Process): () => void {
    return this.#timeline.after(ms, act, owner);
  }

  #choose(point: string): Cut | undefined {
    for (const planned of this.planned) {
      if (planned.point === point && --planned.nth === 0) return planned.cut;
    }
    for (const storm of this.storms) {
      if (storm.untilMs > this.#timeline.nowMs && point.startsWith(storm.points)) {
        if (this.#random.chance(storm.probability)) return storm.cut;
      }
    }
    return undefined;
  }
}

/** One request and its answer, on their way. */
class Exchange<T> {
  readonly #network: Network;
  readonly #call: Call<T>;
  readonly #cut: Cut | undefined;
  readonly #resolve: (value: T) => void;
  readonly #reject: (error: unknown) => void;
  readonly #startedMs: number;
  #giveUp: () => void = () => undefined;

  constructor(
    network: Network,
    call: Call<T>,
    cut: Cut | undefined,
    resolve: (value: T) => void,
    reject: (error: unknown) => void,
  ) {
    this.#network = network;
    this.#call = call;
    this.#cut = cut;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#startedMs = network.nowMs;
  }

  start(): void {
    if (this.#cut === 'request late') this.#watch();
    const requestMs = this.#network.delay(this.#cut === 'request late' ? this.#cut : undefined);
    // The request is on its way whatever becomes of the process that sent it.
    this.#network.after(requestMs, () => this.#arrive());
  }

  #arrive(): void {
    const { from, route, serve } = this.#call;
    const cut = this.#cut;
    if (cut === 'killed before') return this.#network.kill(from);
    if (cut === 'request lost' || this.#network.isCut(route)) return this.#lose();
    let answer: T | Promise<T>;
    try {
      answer = serve();
    } catch (error) {
      return this.#send(() => this.#reject(error));
    }
    if (!(answer instanceof Promise)) return this.#send(() => this.#resolve(answer));
    this.#watch();
    answer.then(
      (value) => this.#send(() => this.#resolve(value)),
      (error: unknown) => this.#send(() => this.#reject(error)),
    );
  }

  #send(deliver: () => void): void {
    const { from, route } = this.#call;
    const cut = this.#cut;
    if (cut === 'killed after') return this.#network.kill(from);
    if (cut === 'answer lost' || this.#network.isCut(route)) return this.#lose();
    if (cut === 'answer late') this.#watch();
    const arrive = (): void => {
      this.#giveUp();
      deliver();
    };
    const answerMs = this.#network.delay(cut === 'answer late' ? cut : undefined);
    this.#network.after(answerMs, arrive, from);
  }

  /** The caller's patience: only where an answer may be late is it worth an event. */
  #watch(): void {
    const { from, patienceMs, lost } = this.#call;
    const leftMs = this.#startedMs + patienceMs - this.#network.nowMs;
    this.#giveUp();
    this.#giveUp = this.#network.after(leftMs, () => this.#reject(lost('timeout')), from);
  }

  #lose(): void {
    if (!this.#network.isReset()) return this.#watch();
    const { from, lost } = this.#call;
    const told = (): void => {
      this.#giveUp();
      this.#reject(lost('reset'));
    };
    this.#network.after(this.#network.delay(undefined), told, from);
  }
}
