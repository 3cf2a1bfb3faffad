import type { Router } from '@koa/router';
import type { Context } from 'koa';
import { addressKey } from '#common/address-key.ts';
import { readingGraceS, verifyBallot } from '#common/contracts/ballot-token.ts';
import { jitteredRetryS, ServiceError } from '#common/errors.ts';
import { viewerAddress } from '#common/http.ts';
import { isUuid } from '#common/uuid.ts';
import type { Records } from '../records.ts';
import { readVoteState } from '../sql/read-vote-state.ts';
import { type Asker, decideVoteState, type Question } from './decide.ts';
import { readPlace } from './place.ts';
import { readProof } from './proof.ts';

const bearer = 'Bearer ';

/** GET /api/v1/votes/{vote_id}. */
export function addVoteState(router: Router, records: Records): void {
  router.get('/api/v1/votes/:vote_id', async (context) => {
    context.set('cache-control', 'no-store');
    const question = readQuestion(context, context.params['vote_id'] ?? '', records);
    const row = await readVoteState(records.pool, question);
    const decision = decideVoteState(question, row, records.confirmationKey);
    if (decision === 'missing') throw reportMissing(records, question);
    if (decision === 'region_lost') {
      throw new ServiceError('region_lost', { members: { region: question.place?.region } });
    }
    if (decision === 'not_found') throw new ServiceError('not_found');
    if (decision === 'not_recorded_yet') {
      throw new ServiceError('not_recorded_yet', {
        retryAfterS: jitteredRetryS(1, records.random),
      });
    }
    context.body = decision;
  });
}

/**
 * Who asks about what. Throws `not_found` for whoever may not know that there is such a vote, and
 * `rate_limit_exceeded` for whoever tries too many proofs.
 */
function readQuestion(context: Context, voteId: string, records: Records): Question {
  if (!isUuid(voteId)) throw new ServiceError('not_found');
  const at = readPlace(context.query['at']);
  const proofHeader = context.get('vote-proof');
  const sessionId = ballotSession(context, voteId, records);
  if (sessionId !== undefined) {
    const proof = readProof(proofHeader, voteId, records.receiptKeys);
    const receipt = proof?.kind === 'receipt' ? proof.receipt : undefined;
    return { voteId, sessionId, asker: { kind: 'owner', receipt }, place: receipt ?? at };
  }
  if (proofHeader === '') throw new ServiceError('not_found');
  records.tries.count(voteId);
  const proof: Asker | undefined = readProof(proofHeader, voteId, records.receiptKeys);
  if (proof === undefined) throw new ServiceError('not_found');
  if (proof.kind === 'code') {
    // Other vote ids cost an asker nothing, and each code is looked for in every session.
    records.addressTries.count(addressKey(viewerAddress(context)));
    return { voteId, sessionId: undefined, asker: proof, place: at };
  }
  const { receipt } = proof;
  return { voteId, sessionId: receipt.session_id, asker: proof, place: receipt };
}

/** The session that the ballot in `Authorization` is for, when it is a good one of this vote. */
function ballotSession(context: Context, voteId: string, records: Records): string | undefined {
  const header = context.get('authorization');
  if (!header.startsWith(bearer)) return undefined;
  const nowS = Math.floor(records.clock.now() / 1000);
  const token = header.slice(bearer.length);
  const verdict = verifyBallot(token, records.ballotKeys(), nowS, readingGraceS);
  return verdict.ok && verdict.ballot.vote_id === voteId ? verdict.ballot.session_id : undefined;
}

function reportMissing(records: Records, { sessionId, place }: Question): ServiceError {
  records.metrics.votesMissing.inc();
  // The place is enough to find the record; the vote id stays out of the log.
  const { region, partition, offset } = place ?? {};
  records.log.error(
    { session_id: sessionId, region, partition, offset },
    'a receipt names a record that must have been read, and its vote is not there',
  );
  return new ServiceError('outcome_unknown', { retryAfterS: jitteredRetryS(5, records.random) });
}
