import { ConnectionLostError, ReadOnlyError } from './refusals.ts';
import { emptyState, type State } from './state.ts';

/** One transaction: a function of the state before it. Throwing, it has changed nothing. */
export type Transaction<T> = (state: State, nowMs: number) => T;

interface Committed {
  readonly run: Transaction<unknown>;
  readonly nowMs: number;
}

/**
 * A Postgres that can be failed over. Transactions are deterministic, so the state of a replica is
 * that of running again what it has had.
 */
export class Database {
  readonly state: State;
  readonly #committed: Committed[];
  #kept: number;
  /** `old`: demoted, or cut off and still writing although another has taken over. */
  mode: 'writer' | 'read only' | 'gone' = 'writer';

  constructor(committed: readonly Committed[] = [], kept = 0) {
    this.#kept = kept;
    this.state = emptyState();
    this.#committed = [...committed];
    for (const { run, nowMs } of committed) run(this.state, nowMs);
  }

  get commits(): number {
    return this.#committed.length;
  }

  /** What is committed up to here stands in every copy: no fail-over loses it any more. */
  keep(): void {
    this.#kept = this.#committed.length;
  }

  /** Runs and commits. A transaction that throws must not have changed anything. */
  write<T>(run: Transaction<T>, nowMs: number): T {
    if (this.mode === 'gone') throw new ConnectionLostError('server is gone');
    if (this.mode === 'read only') throw new ReadOnlyError();
    const result = run(this.state, nowMs);
    this.#committed.push({ run, nowMs });
    return result;
  }

  read<T>(run: (state: State) => T): T {
    if (this.mode === 'gone') throw new ConnectionLostError('server is gone');
    return run(this.state);
  }

  /** A replica of this one that has not had the last `lost` commits, now a writer of its own. */
  promoteReplica(lost: number): Database {
    const held = Math.max(this.#kept, this.#committed.length - lost);
    return new Database(this.#committed.slice(0, held), this.#kept);
  }
}

/** The one address behind which the writer is, and may be moved. */
export class DatabaseAddress {
  writer = new Database();
}

/**
 * A process's connections: they stay with the server they were made to, until it breaks them, says
 * that it is a standby, or is found to be an old writer.
 */
export class Connections {
  readonly #address: DatabaseAddress;
  #server: Database;

  constructor(address: DatabaseAddress) {
    this.#address = address;
    this.#server = address.writer;
  }

  use<T>(act: (server: Database) => T): T {
    try {
      return act(this.#server);
    } catch (error) {
      this.#server = this.#address.writer;
      throw error;
    }
  }
}
