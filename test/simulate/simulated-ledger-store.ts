import type { AgreedResult, DatabaseRecount } from '../../regional-core/ledger/finaliser.ts';
import type { LedgerStore } from '../../regional-core/ledger/ledger-store.ts';
import { countBatch, type StoreFlaws } from './model/count.ts';
import { Connections, type DatabaseAddress } from './model/database.ts';
import { leasePartitions, releasePartitions } from './model/lease.ts';
import { ConnectionLostError } from './model/refusals.ts';
import { listAgreed, listUnsealed, recount } from './model/results.ts';
import { settle } from './model/settle.ts';
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
  readonly #flaws: StoreFlaws;

  constructor(parts: {
    network: Network;
    process: Process;
    route: string;
    address: DatabaseAddress;
    /** The database's own wall clock, ms. */
    wallMs: () => number;
    flaws: StoreFlaws;
  }) {
    this.#network = parts.network;
    this.#process = parts.process;
    this.#route = parts.route;
    this.#connections = new Connections(parts.address);
    this.#wallMs = parts.wallMs;
    this.#flaws = parts.flaws;
  }

  lease: LedgerStore['lease'] = (log, worker) =>
    this.#write('ledger.lease', (state, nowMs) => leasePartitions(state, log, worker, nowMs));

  count: LedgerStore['count'] = (log, epochMin, batch) =>
    this.#write('ledger.count', (state, nowMs) =>
      countBatch(state, log, epochMin, batch, nowMs, this.#flaws),
    );

  release: LedgerStore['release'] = (log, workerId) =>
    this.#write('ledger.release', (state) => releasePartitions(state, log.regionNo, workerId));

  settle: LedgerStore['settle'] = () => this.#write('ledger.settle', settle);

  unsealed: LedgerStore['unsealed'] = (log, partitions, closedForMs) =>
    this.#read('ledger.unsealed', (state) =>
      listUnsealed(state, log.regionNo, partitions, this.#wallMs() - closedForMs),
    );

  listAgreed = (): Promise<AgreedResult[]> => this.#read('ledger.listAgreed', listAgreed);

  recount = (sessionNo: number): Promise<DatabaseRecount> =>
    this.#read('ledger.recount', (state) => recount(state, sessionNo));

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
