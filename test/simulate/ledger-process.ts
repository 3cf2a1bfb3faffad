import { ClockJudge } from '#common/clock-judge.ts';
import { parseSigningKey, type SigningKey } from '#common/keys.ts';
import { Finaliser } from '../../regional-core/ledger/finaliser.ts';
import { type SealedLog, Sealer } from '../../regional-core/ledger/sealer.ts';
import { Settler } from '../../regional-core/ledger/settler.ts';
import { LedgerWorker } from '../../regional-core/ledger/worker.ts';
import type { FlawName } from './flaws.ts';
import { clockErrorMs } from './intake-process.ts';
import type { MemoryTopic } from './memory-kafka.ts';
import { SimulatedVoteSource } from './memory-source.ts';
import type { DatabaseAddress } from './model/database.ts';
import type { Network } from './network.ts';
import type { Random } from './random.ts';
import { clusterIdOf, type Region } from './region.ts';
import { RoomProcess } from './room-process.ts';
import { SimulatedLedgerStore } from './simulated-ledger-store.ts';
import { checkBallot, checkControl, noMetrics, silentLog } from './stand-ins.ts';
import type { Timeline } from './timeline.ts';

// Ed25519, RFC 8037 appendix A: a seal must be signed, who verifies it here looks at its kid alone.
const sealKey: SigningKey = parseSigningKey(
  JSON.stringify({
    kty: 'OKP',
    crv: 'Ed25519',
    d: 'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A',
    x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
  }),
);

const sendMs = 5000;

interface LedgerParts {
  readonly timeline: Timeline;
  readonly network: Network;
  readonly random: Random;
  readonly region: Region;
  /** Name of the region whose copies this one holds. */
  readonly standbyOf: string;
  /** Of its wall clock, ms. */
  readonly offsetMs: number;
  readonly address: DatabaseAddress;
  readonly wallMs: () => number;
  readonly flaw: FlawName | undefined;
}

/**
 * One ledger: the production code that counts, seals and makes final, wired as `start.ts` does, on
 * simulated logs and a simulated store.
 */
export class LedgerProcess {
  readonly process: RoomProcess;
  readonly #parts: LedgerParts;
  readonly #store: SimulatedLedgerStore;
  readonly #judge: ClockJudge;
  readonly #worker: LedgerWorker;
  readonly #ending = new AbortController();
  /** Why it stopped for good; undefined while it works. */
  stoppedBy: Error | undefined;

  constructor(parts: LedgerParts, name: string) {
    const { timeline, network, region } = parts;
    this.#parts = parts;
    this.process = new RoomProcess(timeline, network, 'ledger', name);
    this.process.offsetMs = parts.offsetMs;
    this.#judge = new ClockJudge(this.process, () => ({ ms: clockErrorMs }), false);
    const route = `${region.name}:postgres`;
    this.#store = new SimulatedLedgerStore({ ...parts, process: this.process, route });
    const own = this.#openLog(region.name, region.logNo, region.votes);
    const standbyName = `${parts.standbyOf}@${region.name}`;
    const standby = this.#openLog(standbyName, region.standbyNo, region.standby);
    this.#worker = own.worker;
    this.#run(own, [own, standby]);
  }

  /** Why it counts nothing now; undefined when it does. */
  get trouble(): string | undefined {
    return this.#worker.trouble;
  }

  /** SIGTERM: it gives its leases back. */
  end(): void {
    this.#ending.abort();
  }

  #openLog(
    name: string,
    logNo: number,
    topic: MemoryTopic,
  ): { worker: LedgerWorker; sealed: SealedLog } {
    const { network, random, region } = this.#parts;
    const { process } = this;
    const route = `${region.name}:kafka`;
    const identity = { regionNo: logNo, clusterId: clusterIdOf(region.name), topicId: topic.name };
    const worker: LedgerWorker = new LedgerWorker({
      store: this.#store,
      source: new SimulatedVoteSource({ topic, network, random, process, route }),
      checkBallots: (records) => Promise.resolve(records.map(checkBallot)),
      checkControls: (records) =>
        Promise.resolve(records.map((record) => checkControl(record, name, sealKey.kid))),
      clock: process,
      log: silentLog,
      metrics: noMetrics,
      workerId: `${process.name} ${topic.name}`,
      identify: () => Promise.resolve(identity),
      layout: () => ({
        partitions: topic.partitions.length,
        readAtMs: process.now() - clockErrorMs,
      }),
      epochSeen: () => region.epochTold,
    });
    const append = (partition: number, key: Buffer, value: Buffer): Promise<void> =>
      network.call({
        from: process,
        point: value[0] === 2 ? 'ledger.seal' : 'ledger.final',
        route,
        // A client that looks for the leader itself.
        serve: async () => {
          const { leader } = topic.partitions[partition]!;
          await topic.append(partition, leader, [{ key, value }]);
        },
        patienceMs: sendMs,
        lost: (why) => new Error(`append: ${why}`),
      });
    const sealed: SealedLog = {
      name,
      identity: () => worker.identity,
      size: () => topic.partitions.length,
      append,
      isRead: () => worker.held().length > 0,
    };
    return { worker, sealed };
  }

  #run(
    own: { worker: LedgerWorker; sealed: SealedLog },
    logs: { worker: LedgerWorker; sealed: SealedLog }[],
  ): void {
    const { signal } = this.#ending;
    const shared = { clock: this.process, log: silentLog };
    const sealer = new Sealer({
      ...shared,
      store: this.#store,
      logs: logs.map(({ sealed }) => sealed),
      held: () => own.worker.held(),
      ownSize: own.sealed.size,
      key: sealKey,
      keepKey: () => Promise.resolve(),
      clockErrorMs: () => clockErrorMs,
      clockDoubts: () => this.#judge.doubts(),
      metrics: noMetrics,
    });
    const settler = new Settler({ ...shared, store: this.#store, metrics: noMetrics });
    const finaliser = new Finaliser({
      ...shared,
      listAgreed: this.#store.listAgreed,
      recount: this.#store.recount,
      append: own.sealed.append,
      holdsFirst: () => own.worker.held().includes(0),
      metrics: noMetrics,
    });
    const runs = [...logs.map(({ worker }) => worker), sealer, settler, finaliser];
    for (const part of runs) {
      part.run(signal).catch((error: unknown) => {
        this.stoppedBy = error instanceof Error ? error : new Error('stopped');
      });
    }
  }
}
