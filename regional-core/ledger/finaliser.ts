import { type Clock, MINUTE_MS, SECOND_MS } from '#common/clock.ts';
import { type ActSignature, type FinaliseAct, parseAct } from '#common/contracts/act.ts';
import { encodeStatement, finalRecord } from '#common/contracts/final.ts';
import { voteRecordKey } from '#common/contracts/vote-submitted.ts';
import type { Log } from '#common/log.ts';
import { repeat } from '#common/repeat.ts';
import { Lately } from './lately.ts';
import type { AppendControl } from './sealer.ts';

/** A result that two people agreed on, of a session that is settled and not final yet. */
export interface AgreedResult {
  readonly sessionNo: number;
  readonly body: string;
  readonly signatures: readonly ActSignature[];
}

/** What the database itself gives; counts by option number. */
export interface DatabaseRecount {
  readonly digest: string;
  readonly rows: readonly number[];
  readonly tallies: readonly number[];
}

export interface FinaliserParts {
  readonly listAgreed: () => Promise<readonly AgreedResult[]>;
  readonly recount: (sessionNo: number, ending: AbortSignal) => Promise<DatabaseRecount>;
  readonly append: AppendControl;
  /** True while this worker holds the partition that final statements are written to. */
  readonly holdsFirst: () => boolean;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: { readonly contradicted: (results: number) => void };
}

const everyMs = SECOND_MS;
/** A statement that was written and not read since is written again after this. */
const againMs = 30 * SECOND_MS;
const remembered = 1000;
/** A recount of 300 million rows takes half an hour, and only people change what it finds. */
const refusedMsMax = 60 * MINUTE_MS;

/**
 * Writes final statements to the log of votes, partition 0, where reading them makes the session
 * final, in this database and in any that is made from the log again. What two people agreed on is
 * counted here once more: a result that rows or tallies contradict is not written, but counted
 * again after 30 s, 60 s and so on to an hour, and stands in a metric as long as people leave it
 * so.
 */
export class Finaliser {
  readonly #parts: FinaliserParts;
  /** By the act's body. */
  readonly #written: Lately;
  /** The act's body → when it was last refused, monotonic, and for how long it rests. */
  readonly #refused = new Map<string, { readonly atMs: number; readonly restMs: number }>();

  constructor(parts: FinaliserParts) {
    this.#parts = parts;
    this.#written = new Lately(parts.clock, remembered);
  }

  run(ending: AbortSignal): Promise<void> {
    const act = (): Promise<void> => this.finaliseDue(ending);
    return repeat({ name: 'making results final', everyMs, act }, this.#parts, ending);
  }

  /** One round. Rejects with the first failure, and when `ending` cuts a recount short. */
  async finaliseDue(ending: AbortSignal): Promise<void> {
    const { holdsFirst, listAgreed, metrics } = this.#parts;
    const agreed = holdsFirst() ? await listAgreed() : [];
    const bodies = new Set(agreed.map(({ body }) => body));
    for (const body of this.#refused.keys()) if (!bodies.has(body)) this.#refused.delete(body);
    try {
      for (const one of agreed) if (this.#isDue(one.body)) await this.#finalise(one, ending);
    } finally {
      metrics.contradicted(this.#refused.size);
    }
  }

  #isDue(body: string): boolean {
    const refused = this.#refused.get(body);
    if (refused === undefined) return this.#written.ageMs(body) >= againMs;
    return this.#parts.clock.monotonicMs() - refused.atMs >= refused.restMs;
  }

  async #finalise(
    { sessionNo, body, signatures }: AgreedResult,
    ending: AbortSignal,
  ): Promise<void> {
    const { recount, append, log } = this.#parts;
    const act = parseAct(body);
    if (act?.act !== 'finalise') {
      log.error({ session_no: sessionNo }, 'an agreed act has a form that is not known');
      this.#refuse(body);
      return;
    }
    const contradiction = contradictionOf(act, await recount(sessionNo, ending));
    if (contradiction !== undefined) {
      log.error({ session_id: act.session_id, contradiction }, 'the agreed result is not ours');
      this.#refuse(body);
      return;
    }
    this.#refused.delete(body);
    await append(0, voteRecordKey(act.session_id), finalRecord(encodeStatement(body, signatures)));
    this.#written.add(body);
  }

  #refuse(body: string): void {
    const restedMs = this.#refused.get(body)?.restMs ?? againMs / 2;
    const restMs = Math.min(refusedMsMax, restedMs * 2);
    this.#refused.set(body, { atMs: this.#parts.clock.monotonicMs(), restMs });
  }
}

function contradictionOf(act: FinaliseAct, ours: DatabaseRecount): string | undefined {
  if (ours.digest !== act.digest) return 'digest';
  if (!isSame(ours.rows, act.counts)) return 'rows';
  return isSame(ours.tallies, act.counts) ? undefined : 'tallies';
}

function isSame(one: readonly number[], other: readonly number[]): boolean {
  return one.length === other.length && one.every((count, at) => count === other[at]);
}
