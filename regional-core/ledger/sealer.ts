import { type Clock, SECOND_MS } from '#common/clock.ts';
import { clockErrorMsMax } from '#common/clock-bound.ts';
import { encodeSeal } from '#common/contracts/seal.ts';
import { graceMs } from '#common/contracts/session.ts';
import { voteRecordKey } from '#common/contracts/vote-submitted.ts';
import type { SigningKey } from '#common/keys.ts';
import type { Log } from '#common/log.ts';
import { repeat } from '#common/repeat.ts';
import { Lately } from './lately.ts';
import type { LedgerStore, UnsealedSession } from './ledger-store.ts';
import type { LedgerMetrics } from './metrics.ts';
import type { LogIdentity } from './sql/count-batch.ts';

/** Appends one record durably to a partition of a log; rejects when it may not be there. */
export type AppendControl = (partition: number, key: Buffer, value: Buffer) => Promise<void>;

/** A log to be sealed: the region's own, or the standby that it hosts. */
export interface SealedLog {
  readonly name: string;
  /** Undefined while it is not known. */
  readonly identity: () => LogIdentity | undefined;
  /** Partitions that the log has now. */
  readonly size: () => number;
  readonly append: AppendControl;
  /** False: seals are not read back, so one that was acknowledged is not written again. */
  readonly isRead: () => boolean;
}

export interface SealerParts {
  readonly store: Pick<LedgerStore, 'unsealed'>;
  readonly logs: readonly SealedLog[];
  /** Partitions that this worker holds of the region's own log. */
  readonly held: () => readonly number[];
  /** Partitions of the region's own log. A log with more is shared out among their holders. */
  readonly ownSize: () => number;
  readonly key: SigningKey;
  /** Makes the public half known: a seal is checked against it when it is read. */
  readonly keepKey: () => Promise<void>;
  readonly clock: Clock;
  /** ms by which this process's clock may be wrong. */
  readonly clockErrorMs: () => number;
  /** Why that clock must not decide anything now. */
  readonly clockDoubts: () => readonly string[];
  readonly log: Log;
  readonly metrics: Pick<LedgerMetrics, 'sealed'>;
}

/**
 * Any intake answers until its clock less its error shows closing + grace: by true time up to two
 * of its errors later, and none is larger than this. This process's own error comes on top, since a
 * seal must lie behind every vote that was answered.
 */
const answeredForMs = graceMs + 2 * clockErrorMsMax;

const everyMs = SECOND_MS;
/** A seal that was acknowledged and not read since is written again after this. */
const againMs = 30 * SECOND_MS;
const remembered = 100_000;

/**
 * Ends sessions: writes their seals to the partitions this worker holds once both clocks, its own
 * and the database's, are past the moment until which a vote may be answered. Any seal may be
 * written again by anybody: the first one of a partition counts.
 */
export class Sealer {
  readonly #parts: SealerParts;
  /** Acknowledged seals, by log, partition, session and closing time. */
  readonly #written: Lately;

  constructor(parts: SealerParts) {
    this.#parts = parts;
    this.#written = new Lately(parts.clock, remembered);
  }

  run(ending: AbortSignal): Promise<void> {
    const act = (): Promise<void> => this.sealDue();
    return repeat({ name: 'sealing', everyMs, act }, this.#parts, ending);
  }

  /** One round: writes what is due in every log. Rejects with the first failure of a log. */
  async sealDue(): Promise<void> {
    const { logs, held, clockDoubts } = this.#parts;
    if (held().length === 0 || clockDoubts().length > 0) return;
    const failures: unknown[] = [];
    for (const sealed of logs) {
      await this.#sealLog(sealed).catch((error: unknown) => failures.push(error));
    }
    if (failures.length > 0) throw failures[0];
  }

  async #sealLog(sealed: SealedLog): Promise<void> {
    const { store, held, ownSize, keepKey, clockErrorMs } = this.#parts;
    const identity = sealed.identity();
    if (identity === undefined) return;
    const own = new Set(held());
    const all = Array.from({ length: sealed.size() }, (_, partition) => partition);
    const partitions = all.filter((partition) => own.has(partition % ownSize()));
    const closedForMs = answeredForMs + clockErrorMs();
    const sessions = await store.unsealed(identity, partitions, closedForMs);
    // Each time: a database that lost its newest rows may have lost the key.
    if (sessions.length > 0) await keepKey();
    for (const session of sessions) await this.#seal(sealed, session, closedForMs);
  }

  async #seal(sealed: SealedLog, session: UnsealedSession, closedForMs: number): Promise<void> {
    const { clock, key, metrics } = this.#parts;
    const sealedAtMs = clock.now();
    if (sealedAtMs < session.closesAtMs + closedForMs) return;
    const { sessionId, version: sessionVersion, closesAtMs } = session;
    for (const partition of session.partitions) {
      const name = `${sealed.name}/${partition}/${sessionId}/${closesAtMs}`;
      if (!this.#isDue(name, sealed)) continue;
      const seal = {
        sessionId,
        log: sealed.name,
        partition,
        sessionVersion,
        closesAtMs,
        sealedAtMs,
      };
      await sealed.append(partition, voteRecordKey(sessionId), encodeSeal(seal, key));
      this.#written.add(name);
      metrics.sealed(sealed.name);
    }
  }

  #isDue(name: string, sealed: SealedLog): boolean {
    const ageMs = this.#written.ageMs(name);
    return ageMs === Infinity || (sealed.isRead() && ageMs >= againMs);
  }
}
