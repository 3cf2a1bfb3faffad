import type { CountBatch } from '../../regional-core/ledger/batch.ts';
import type { AgreedResult, DatabaseRecount } from '../../regional-core/ledger/finaliser.ts';
import type { LedgerStore } from '../../regional-core/ledger/ledger-store.ts';
import type { LogIdentity } from '../../regional-core/ledger/sql/count-batch.ts';
import type { FlawName } from './flaws.ts';
import { advance, countBatch } from './model/count.ts';
import { Connections, type DatabaseAddress } from './model/database.ts';
import { leasePartitions, releasePartitions } from './model/lease.ts';
import { ConnectionLostError } from './model/refusals.ts';
import { listAgreed, listUnsealed, recount } from './model/results.ts';
import { listReadThrough, settle } from './model/settle.ts';
import type { State } from './model/state.ts';
import type { Network } from './network.ts';
import type { Process } from './timeline.ts';

const statementMs = 10_000;

/** The ledger's store as one process reaches it. */
export class SimulatedLedgerStore implements LedgerStore {
  readonly #network: Network;
  readonly #process: Process;
  readonly #route: string;
  readonly #connections: Connections;
  readonly #wallMs: () => number;
  readonly #flaw: FlawName | undefined;

  constructor(parts: {
    network: Network;
    process: Process;
    route: string;
    address: DatabaseAddress;
    /** The database's own wall clock, ms. */
    wallMs: () => number;
    flaw: FlawName | undefined;
  }) {
    this.#network = parts.network;
    this.#process = parts.process;
    this.#route = parts.route;
    this.#connections = new Connections(parts.address);
    this.#wallMs = parts.wallMs;
    this.#flaw = parts.flaw;
  }

  lease: LedgerStore['lease'] = (log, worker) =>
    this.#write('ledger.lease', (state, nowMs) => leasePartitions(state, log, worker, nowMs));

  count: LedgerStore['count'] = (log, epochMin, batch) =>
    this.#write('ledger.count', (state, nowMs) => {
      if (this.#flaw === 'offsets-apart') this.#advanceLater(log, batch);
      return countBatch(state, log, epochMin, batch, nowMs, this.#flaw);
    });

  release: LedgerStore['release'] = (log, workerId) =>
    this.#write('ledger.release', (state) => releasePartitions(state, log.regionNo, workerId));

  readThrough: LedgerStore['readThrough'] = () =>
    this.#read('ledger.readThrough', (state) => listReadThrough(state, this.#wallMs()));

  settle: LedgerStore['settle'] = (sessionId) =>
    this.#write('ledger.settle', (state, nowMs) => settle(state, sessionId, nowMs));

  unsealed: LedgerStore['unsealed'] = (log, partitions, closedForMs) =>
    this.#read('ledger.unsealed', (state) =>
      listUnsealed(state, log.regionNo, partitions, this.#wallMs() - closedForMs),
    );

  listAgreed = (): Promise<AgreedResult[]> => this.#read('ledger.listAgreed', listAgreed);

  recount = (sessionNo: number): Promise<DatabaseRecount> =>
    this.#read('ledger.recount', (state) => recount(state, sessionNo));

  /** Planted: a second transaction, which is lost when the server goes in between. */
  #advanceLater(log: LogIdentity, batch: CountBatch): void {
    this.#network.after(2, () => {
      this.#connections.use((server) => {
        if (server.mode === 'writer') server.write((state) => advance(state, log, batch), 0);
      });
    });
  }

  #write<T>(point: string, run: (state: State, nowMs: number) => T): Promise<T> {
    return this.#call(point, () =>
      this.#connections.use((server) => server.write(run, this.#wallMs())),
    );
  }

  #read<T>(point: string, run: (state: State) => T): Promise<T> {
    return this.#call(point, () => this.#connections.use((server) => server.read(run)));
  }

  #call<T>(point: string, serve: () => T): Promise<T> {
    return this.#network.call({
      from: this.#process,
      point,
      route: this.#route,
      serve,
      patienceMs: statementMs,
      lost: (why) => new ConnectionLostError(why),
    });
  }
}
