import type { KeyObject } from 'node:crypto';
import { toTimestamp } from '#common/clock.ts';
import { confirm } from '#common/confirmation.ts';
import type { Receipt } from '#common/contracts/receipt.ts';
import { coversOffset } from '#common/contracts/vote-aggregated.ts';
import type { Place, VoteStateRow } from '../sql/read-vote-state.ts';
import type { VoteState } from './contract.ts';
import { isCodeOf } from './proof.ts';

/** Who asks: the voter with the ballot, or whoever holds the receipt or the code. */
export type Asker =
  | { readonly kind: 'owner'; readonly receipt: Receipt | undefined }
  | { readonly kind: 'receipt'; readonly receipt: Receipt }
  | { readonly kind: 'code'; readonly code: string };

export interface Question {
  readonly voteId: string;
  readonly sessionId: string | undefined;
  readonly asker: Asker;
  /** Where the asker says that the record lies; a receipt's place is signed. */
  readonly place: Place | undefined;
}

/**
 * `missing`: a signed receipt names a place that was read, or promises a copy elsewhere, and
 * there is nothing of this vote. An accepted vote would be lost; the alarm is of the first class.
 * `region_lost`: the place was never read and never will be, and no copy brought the vote: what
 * `region` durability cannot promise.
 */
export type Decision = VoteState | 'not_found' | 'not_recorded_yet' | 'missing' | 'region_lost';

/** What is said about a vote, from one consistent reading of Postgres. */
export function decideVoteState(question: Question, row: VoteStateRow, key: KeyObject): Decision {
  if (row.option_no !== null) {
    return row.is_void
      ? taken(question, row, row.option_no, key)
      : counted(question, row, row.option_no, key);
  }
  if (row.late_option_no !== null) return late(question, row, row.late_option_no, key);
  // Nothing else holds an option that a code could be compared with.
  if (question.asker.kind === 'code') return 'not_recorded_yet';
  if (row.quarantined) return uncounted(question, row, 'quarantined');
  if (question.place === undefined) return 'not_recorded_yet';
  const { receipt } = question.asker;
  if (!coversOffset(row.covers, question.place)) {
    // While copies are still read, the vote may yet be among them.
    if (!row.is_lost || row.copies_read === false) return uncounted(question, row, 'accepted');
    return receipt?.durability === 'two-regions' ? 'missing' : 'region_lost';
  }
  return receipt === undefined ? 'not_recorded_yet' : 'missing';
}

function counted(
  question: Question,
  row: VoteStateRow,
  optionNo: number,
  key: KeyObject,
): Decision {
  const { asker, voteId } = question;
  const shared = {
    ...common(question, row),
    status: 'counted' as const,
    accepted_at: timestamp(row.accepted_at),
    counted_at: timestamp(row.counted_at),
  };
  const confirmation = confirm(key, voteId, optionNo);
  switch (asker.kind) {
    case 'owner':
      return { ...shared, confirmation_code: confirmation.code };
    case 'receipt':
      return { ...shared, as_cast: asker.receipt.commitment === confirmation.commitment };
    case 'code': {
      if (isCodeOf(asker.code, key, voteId, optionNo)) return { ...shared, as_cast: true };
      // A code of ours, for a choice that lost to an earlier one.
      const lost = row.lost_option_nos.some((no) => isCodeOf(asker.code, key, voteId, no));
      return lost ? { ...shared, as_cast: false } : 'not_found';
    }
  }
}

/** Counted once, and taken out by two people: who may know of the row knows that, and no code. */
function taken(question: Question, row: VoteStateRow, optionNo: number, key: KeyObject): Decision {
  const state = counted(question, row, optionNo, key);
  if (typeof state === 'string') return state;
  const { accepted_at, counted_at } = state;
  return { ...uncounted(question, row, 'void'), accepted_at, counted_at };
}

function late(question: Question, row: VoteStateRow, optionNo: number, key: KeyObject): Decision {
  const { asker, voteId } = question;
  if (asker.kind === 'code' && !isCodeOf(asker.code, key, voteId, optionNo)) return 'not_found';
  const state = uncounted(question, row, 'late');
  return { ...state, accepted_at: timestamp(row.late_accepted_at) };
}

/** No row counts: there is no code to give, and nothing to compare a proof with. */
function uncounted(
  question: Question,
  row: VoteStateRow,
  status: 'accepted' | 'late' | 'quarantined' | 'void',
): VoteState {
  const { asker } = question;
  const receipt = asker.kind === 'code' ? undefined : asker.receipt;
  return {
    ...common(question, row),
    status,
    ...(asker.kind === 'owner' ? { confirmation_code: null } : { as_cast: null }),
    accepted_at: receipt?.accepted_at ?? null,
    counted_at: null,
  };
}

function common(question: Question, row: VoteStateRow) {
  return {
    vote_id: question.voteId,
    session_id: question.sessionId ?? row.session_id ?? '',
    as_of: toTimestamp(row.as_of.getTime()),
    covers: row.covers,
  };
}

function timestamp(at: Date | null): string | null {
  return at === null ? null : toTimestamp(at.getTime());
}
