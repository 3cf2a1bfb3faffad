import { type Clock, SECOND_MS } from '#common/clock.ts';
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
  readonly recount: (sessionNo: number) => Promise<DatabaseRecount>;
  readonly append: AppendControl;
  /** True while this worker holds the partition that final statements are written to. */
  readonly holdsFirst: () => boolean;
  readonly clock: Clock;
  readonly log: Log;
}

const everyMs = SECOND_MS;
/** A statement that was written and not read since is written again after this. */
const againMs = 30 * SECOND_MS;
const remembered = 1000;

/**
 * Writes final statements to the log of votes, partition 0, where reading them makes the session
 * final, in this database and in any that is made from the log again. What two people agreed on is
 * counted here once more: a result that rows or tallies contradict is not written.
 */
export class Finaliser {
  readonly #parts: FinaliserParts;
  /** By the act's body: written, or contradicted and said. */
  readonly #written: Lately;

  constructor(parts: FinaliserParts) {
    this.#parts = parts;
    this.#written = new Lately(parts.clock, remembered);
  }

  run(ending: AbortSignal): Promise<void> {
    const act = (): Promise<void> => this.finaliseDue();
    return repeat({ name: 'making results final', everyMs, act }, this.#parts, ending);
  }

  /** One round. Rejects with the first failure. */
  async finaliseDue(): Promise<void> {
    const { holdsFirst, listAgreed, log } = this.#parts;
    if (!holdsFirst()) return;
    for (const agreed of await listAgreed()) {
      if (this.#written.ageMs(agreed.body) < againMs) continue;
      const act = parseAct(agreed.body);
      if (act?.act === 'finalise') await this.#finalise(agreed, act);
      else
        log.error({ session_no: agreed.sessionNo }, 'an agreed act has a form that is not known');
      this.#written.add(agreed.body);
    }
  }

  async #finalise({ sessionNo, body, signatures }: AgreedResult, act: FinaliseAct): Promise<void> {
    const { recount, append, log } = this.#parts;
    const contradiction = contradictionOf(act, await recount(sessionNo));
    if (contradiction === undefined) {
      const record = finalRecord(encodeStatement(body, signatures));
      await append(0, voteRecordKey(act.session_id), record);
    } else {
      log.error({ session_id: act.session_id, contradiction }, 'the agreed result is not ours');
    }
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
