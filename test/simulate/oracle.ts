import { decodeVoteRecord } from '#common/contracts/vote-submitted.ts';
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
  for (const { logNo, standbyNo, votes, standby } of world.regions) {
    for (const [no, topic] of [
      [logNo, votes],
      [standbyNo, standby],
    ] as const) {
      for (const [partition, { records }] of topic.partitions.entries()) {
        for (const [offset, { key, value }] of records.entries()) {
          const record = decodeVoteRecord(key, value);
          if ('unreadable' in record || record.ballot.session_id !== sessionId) continue;
          const { optionNo, acceptedAtMs } = record;
          const place = { logNo: no, partition, offset, optionNo, acceptedAtMs };
          const isForged = checkBallot(record) !== undefined;
          found.push({ ...place, voteId: record.ballot.vote_id, isForged });
        }
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
  const winners = new Map<string, LoggedVote>();
  for (const vote of logs) {
    if (!isInTime(world, vote) || vote.isForged) continue;
    if (vote.optionNo >= session.optionIds.length) continue;
    const held = winners.get(vote.voteId);
    if (held === undefined || isBefore(session, vote, held)) winners.set(vote.voteId, vote);
  }
  return winners;
}

function isInTime({ state }: World, vote: LoggedVote): boolean {
  const session = state.sessions.get(sessionId)!;
  const log = state.logs.get(vote.logNo);
  if (log === undefined || vote.acceptedAtMs > session.closesAtMs) return false;
  const seal = state.seals.get(`${session.no}:${vote.logNo}:${vote.partition}`);
  if (seal !== undefined && vote.offset > seal) return false;
  if (isLive(state, log)) return true;
  // What was read of a region before it was lost stays counted.
  const next = state.offsets.get(vote.logNo * 1000 + vote.partition)?.next ?? 0;
  return vote.offset < next;
}
