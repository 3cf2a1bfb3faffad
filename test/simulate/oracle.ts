import { decodeSeal } from '#common/contracts/seal.ts';
import { decodeVoteRecord } from '#common/contracts/vote-submitted.ts';
import type { MemoryTopic } from './memory-kafka.ts';
import { isBefore } from './model/settle.ts';
import { isLive, type RecordRow } from './model/state.ts';
import { checkBallot } from './stand-ins.ts';
import { sessionId, type World } from './world.ts';

/** A vote as it lies in a log, read apart from the ledger. */
export interface LoggedVote extends RecordRow {
  readonly voteId: string;
  readonly isForged: boolean;
}

/** Every vote that lies in any log. */
export function readLogs(world: World): LoggedVote[] {
  const found: LoggedVote[] = [];
  for (const [logNo, topic] of allTopics(world)) {
    for (const [partition, { records }] of topic.partitions.entries()) {
      for (const [offset, { key, value }] of records.entries()) {
        const record = decodeVoteRecord(key, value);
        if ('unreadable' in record || record.ballot.session_id !== sessionId) continue;
        const { optionNo, acceptedAtMs } = record;
        const place = { logNo, partition, offset, optionNo, acceptedAtMs };
        const isForged = checkBallot(record) !== undefined;
        found.push({ ...place, voteId: record.ballot.vote_id, isForged });
      }
    }
  }
  return found;
}

/**
 * Who counts, by the rule alone: of each voter's records before their seals and in time, the one
 * with the smallest (accepted_at, option id).
 */
export function countWinners(world: World, logs: readonly LoggedVote[]): Map<string, LoggedVote> {
  const { state } = world;
  const session = state.sessions.get(sessionId)!;
  const seals = readSeals(world);
  const winners = new Map<string, LoggedVote>();
  for (const vote of logs) {
    if (!isInTime(world, seals, vote) || vote.isForged) continue;
    if (vote.optionNo >= session.optionIds.length) continue;
    const held = winners.get(vote.voteId);
    if (held === undefined || isBefore(session, vote, held)) winners.set(vote.voteId, vote);
  }
  return winners;
}

/** `log:partition` → offset of the first seal that belongs there. */
function readSeals(world: World): Map<string, number> {
  const seals = new Map<string, number>();
  for (const [logNo, topic] of allTopics(world)) {
    const { name } = world.state.logs.get(logNo)!;
    for (const [partition, { records }] of topic.partitions.entries()) {
      const offset = records.findIndex(({ value }) => {
        const seal = decodeSeal(sessionId, value);
        return seal !== undefined && seal.log === name && seal.partition === partition;
      });
      if (offset >= 0) seals.set(`${logNo}:${partition}`, offset);
    }
  }
  return seals;
}

function allTopics({ regions }: World): (readonly [logNo: number, topic: MemoryTopic])[] {
  return regions.flatMap(({ logNo, standbyNo, votes, standby }) => [
    [logNo, votes] as const,
    [standbyNo, standby] as const,
  ]);
}

function isInTime({ state }: World, seals: ReadonlyMap<string, number>, vote: LoggedVote): boolean {
  const log = state.logs.get(vote.logNo)!;
  if (vote.acceptedAtMs > state.sessions.get(sessionId)!.closesAtMs) return false;
  if (vote.offset > (seals.get(`${vote.logNo}:${vote.partition}`) ?? Infinity)) return false;
  if (isLive(state, log)) return true;
  // What was read of a region before it was lost stays counted.
  const next = state.offsets.get(vote.logNo * 1000 + vote.partition)?.next ?? 0;
  return vote.offset < next;
}
