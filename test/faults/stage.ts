import { sleep } from '#common/clock.ts';
import type { Finding } from './check/check.ts';
import type { Span } from './check/figures.ts';
import { Crowd, type CrowdOptions } from './crowd/crowd.ts';
import type { Attempt, History } from './crowd/history.ts';
import type { Voters } from './crowd/voters.ts';
import type { Lab } from './lab/lab.ts';
import type { LabSession } from './lab/session.ts';
import type { Scale } from './scenario.ts';

/** Voters a second of a scenario that says nothing else: a fraction of what two cores carry. */
const rate = { short: 60, full: 150 };
const patienceMs = 45_000;

/** A crowd that is voting. */
export interface Load {
  /** Nobody more comes; resolves when everybody has an outcome or has given up. */
  readonly end: () => Promise<void>;
}

/** What a scenario works with, and where it puts down what it did. */
export class Stage {
  readonly lab: Lab;
  readonly scale: Scale;
  readonly session: LabSession;
  readonly voters: Voters;
  readonly history: History;
  readonly loads: Span[] = [];
  readonly findings: Finding[] = [];
  readonly notes: string[] = [];
  /** Votes whose 201 may be lost with a destroyed region. */
  readonly mayBeLost = new Set<string>();
  healedMs: number | undefined;
  readonly #voting = new Set<() => Promise<void>>();

  constructor(lab: Lab, scale: Scale, session: LabSession, voters: Voters, history: History) {
    this.lab = lab;
    this.scale = scale;
    this.session = session;
    this.voters = voters;
    this.history = history;
  }

  /** One value for each scale. */
  pick<T>(short: T, full: T): T {
    return this.scale === 'short' ? short : full;
  }

  /** Starts a crowd in all regions of the lab. */
  load(options: Partial<CrowdOptions> = {}): Load {
    const crowd = new Crowd(this.voters, {
      rate: this.pick(rate.short, rate.full),
      options: this.session.optionIds.length,
      regions: this.lab.regions.map(({ name }) => name),
      patienceMs,
      ...options,
    });
    const fromMs = performance.now();
    const end = async (): Promise<void> => {
      if (!this.#voting.delete(end)) return;
      const toMs = performance.now();
      await crowd.end();
      this.loads.push({ fromMs, toMs });
    };
    this.#voting.add(end);
    return { end };
  }

  /** Ends the crowds that a scenario which broke off has left. */
  async endLoads(): Promise<void> {
    await Promise.all([...this.#voting].map((end) => end()));
  }

  /** A crowd for so long. */
  async loadFor(seconds: number, options: Partial<CrowdOptions> = {}): Promise<void> {
    const load = this.load(options);
    await this.seconds(seconds);
    await load.end();
  }

  seconds(count: number): Promise<void> {
    return sleep(count * 1000);
  }

  /** The fault is over: recovery is measured from now on. */
  healed(): void {
    this.healedMs = performance.now();
  }

  /** Something that must hold in this scenario beside what always must. */
  expect(name: string, ok: boolean, text: string): void {
    this.findings.push({ name, ok, text });
  }

  /** Holds when no attempt of these failed; the text says which did, how, and for how long. */
  expectNoneFailed(failed: readonly Attempt[] = this.failed): void {
    const codes = new Map<string, number>();
    for (const { code = 'none' } of failed) codes.set(code, (codes.get(code) ?? 0) + 1);
    const sentMs = failed.map((attempt) => attempt.sentMs);
    const spanS = (Math.max(...sentMs) - Math.min(...sentMs)) / 1000;
    const kinds = [...codes].map(([code, count]) => `${count} ${code}`).join(', ');
    const text = `${failed.length} attempts failed (${kinds}) within ${spanS.toFixed(1)} s`;
    this.expect('accepting is untouched', failed.length === 0, text);
  }

  /** A figure for the table. */
  note(text: string): void {
    this.notes.push(text);
  }

  /** Attempts sent by a crowd, from the first load on, that were not answered with 201. */
  get failed(): readonly Attempt[] {
    const fromMs = Math.min(...this.loads.map((span) => span.fromMs));
    return this.history.attempts.filter(
      ({ outcome, sentMs }) => outcome !== 'ok' && sentMs >= fromMs,
    );
  }
}
