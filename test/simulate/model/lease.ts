import type { Lease, LeaseRequest } from '../../../regional-core/ledger/ledger-store.ts';
import type { LogIdentity } from '../../../regional-core/ledger/sql/count-batch.ts';
import { OldWriterError, UnreadLogError } from './refusals.ts';
import { isLive, placeKey, type State } from './state.ts';

/** `votes.lease_partitions`. */
export function leasePartitions(
  state: State,
  log: LogIdentity,
  worker: LeaseRequest,
  nowMs: number,
): Lease {
  const row = state.logs.get(log.regionNo)!;
  if (!row.isLost) makeOffsets(state, log, worker.layout.partitions);
  const origin = row.standsFor === undefined ? undefined : state.logs.get(row.standsFor);
  const isStandingBy = origin !== undefined && !origin.isLost;
  if (!isStandingBy) refuseOldOrUnread(state, log, worker.epochMin);
  const readAtMs = Math.min(worker.layout.readAtMs, nowMs);
  if (!row.isLost) row.layoutReadAtMs = Math.max(row.layoutReadAtMs, readAtMs);
  if (isStandingBy) return { epoch: state.epoch, positions: new Map() };
  const mine = `${log.regionNo}:${worker.id}`;
  const untilMs = nowMs + worker.ttlMs;
  state.workers.set(mine, untilMs);
  let live = 0;
  for (const [key, expiresMs] of state.workers) {
    if (!key.startsWith(`${log.regionNo}:`)) continue;
    if (expiresMs < nowMs) state.workers.delete(key);
    else live++;
  }
  const share = Math.ceil(worker.layout.partitions / live);
  shareOut(state, log.regionNo, worker, share, nowMs);
  const positions = new Map<number, number>();
  for (let partition = 0; partition < worker.layout.partitions; partition++) {
    const key = placeKey(log.regionNo, partition);
    if (state.leases.get(key)?.worker === worker.id) {
      positions.set(partition, state.offsets.get(key)!.next);
    }
  }
  return { epoch: state.epoch, positions };
}

/** `votes.refuse_old_or_unread`. */
export function refuseOldOrUnread(state: State, log: LogIdentity, epochMin: number): void {
  if (state.epoch < epochMin) throw new OldWriterError(state.epoch, epochMin);
  const row = state.logs.get(log.regionNo)!;
  if (!isLive(state, row)) throw new UnreadLogError(row.name);
}

function makeOffsets(state: State, log: LogIdentity, partitions: number): void {
  const { regionNo: logNo, clusterId, topicId } = log;
  for (let partition = 0; partition < partitions; partition++) {
    const key = placeKey(logNo, partition);
    const held = state.offsets.get(key);
    if (held === undefined) {
      state.offsets.set(key, { logNo, partition, clusterId, topicId, next: 0, logEnd: 0 });
    } else if (held.clusterId !== clusterId || held.topicId !== topicId) {
      throw new Error(`offsets of partition ${partition} belong to another log`);
    }
  }
}

/** What is over the share is given back; then what is free is taken, own partitions first. */
function shareOut(
  state: State,
  logNo: number,
  worker: LeaseRequest,
  share: number,
  nowMs: number,
): void {
  const keys = Array.from({ length: worker.layout.partitions }, (_, at) => placeKey(logNo, at));
  const own = keys.filter((key) => state.leases.get(key)?.worker === worker.id);
  for (const key of own.slice(share)) state.leases.delete(key);
  const isFree = (key: number): boolean => {
    const held = state.leases.get(key);
    return held === undefined || held.expiresMs < nowMs;
  };
  const kept = own.slice(0, share);
  const free = keys.filter((key) => !kept.includes(key) && isFree(key));
  for (const key of [...kept, ...free].slice(0, share)) {
    state.leases.set(key, { worker: worker.id, expiresMs: nowMs + worker.ttlMs });
  }
}

/** `votes.declare_lost`: its offsets stay as they are, and the epoch rises. */
export function declareLost(state: State, logNo: number): void {
  const log = state.logs.get(logNo)!;
  if (log.isLost) return;
  log.isLost = true;
  state.epoch++;
  for (const key of state.leases.keys()) {
    if (Math.floor(key / 1000) === logNo) state.leases.delete(key);
  }
  for (const key of state.workers.keys()) {
    if (key.startsWith(`${logNo}:`)) state.workers.delete(key);
  }
}

/** `votes.release_partitions`. */
export function releasePartitions(state: State, logNo: number, worker: string): void {
  for (const [key, lease] of state.leases) {
    if (Math.floor(key / 1000) === logNo && lease.worker === worker) state.leases.delete(key);
  }
  state.workers.delete(`${logNo}:${worker}`);
}
