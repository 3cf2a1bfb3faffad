import { type KeyObject, verify } from 'node:crypto';
import { ballotSigningInput } from '#common/contracts/ballot-token.ts';
import { decodeVoteRecord, type VoteRecord } from '#common/contracts/vote-submitted.ts';
import type { PublicKeys } from '#common/keys.ts';
import type { LogRecord } from '#common/log-reader.ts';

/** What decides whether a record of a session is a vote that may count. */
export interface RecordRules {
  readonly ballotKeys: PublicKeys;
  readonly options: number;
  readonly closesAtMs: number;
}

/**
 * The vote that a record holds, when it may count: readable, of a known option, in time, with a
 * ballot that identity signed. It may still lose to another one of its voter.
 */
export async function admissibleVote(
  { key, value }: Pick<LogRecord, 'key' | 'value'>,
  rules: RecordRules,
): Promise<VoteRecord | undefined> {
  const vote = decodeVoteRecord(key, value);
  if ('unreadable' in vote) return undefined;
  if (vote.optionNo >= rules.options || vote.acceptedAtMs > rules.closesAtMs) return undefined;
  const signer = rules.ballotKeys.get(vote.kid);
  if (signer === undefined) return undefined;
  const signed = Buffer.from(ballotSigningInput(vote.ballot, vote.kid));
  return (await verifyInPool(signed, signer, vote.signature)) ? vote : undefined;
}

/** With a callback, node:crypto works in its thread pool: all cores, and reading goes on. */
function verifyInPool(data: Buffer, key: KeyObject, signature: Buffer): Promise<boolean> {
  return new Promise((resolve, reject) => {
    verify(null, data, key, signature, (error, isGood) =>
      error ? reject(error) : resolve(isGood),
    );
  });
}

export interface Candidate {
  readonly optionNo: number;
  readonly acceptedAtMs: number;
}

/**
 * Which of a voter's votes counts: the smallest (accepted_at, option_id). Where they lie plays no
 * part. Options are compared by the bytes of their ids, as Postgres does with COLLATE "C".
 */
export function isBefore(one: Candidate, other: Candidate, optionIds: readonly Buffer[]): boolean {
  if (one.acceptedAtMs !== other.acceptedAtMs) return one.acceptedAtMs < other.acceptedAtMs;
  return optionIds[one.optionNo]!.compare(optionIds[other.optionNo]!) < 0;
}
