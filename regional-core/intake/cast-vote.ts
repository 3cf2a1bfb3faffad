import type { Context } from 'koa';
import { toTimestamp } from '#common/clock.ts';
import { assembleReceipt } from '#common/contracts/receipt.ts';
import { ServiceError } from '#common/errors.ts';
import type { Gate } from '#common/gate.ts';
import { bearerToken, readJson, viewerAddress } from '#common/http.ts';
import type { LimitedTokens } from './limited-tokens.ts';
import { type Accepted, type SubmitParts, submitVote } from './submit-vote.ts';
import { parseVoteRequest, type VoteRequest, voteBodyBytesMax } from './vote-request.ts';

export interface CastVoteParts extends SubmitParts {
  readonly gate: Gate;
  readonly limitedTokens: LimitedTokens;
}

const acceptedMessage =
  'Your vote is recorded. If you voted more than once, your earliest choice counts.';

/**
 * `POST /api/v1/votes`: size, shape and who may come in while there is too much; the vote itself is
 * `submit-vote.ts`.
 */
export function castVote(parts: CastVoteParts): (context: Context) => Promise<void> {
  return async (context) => {
    parts.gate.enter();
    try {
      answer(context, await cast(parts, context));
    } finally {
      parts.gate.leave();
    }
  };
}

async function cast(parts: CastVoteParts, context: Context): Promise<Accepted> {
  const token = tokenOf(context);
  const waitS = token === undefined ? 0 : parts.limitedTokens.waitS(token);
  if (waitS > 0) throw new ServiceError('rate_limit_exceeded', { retryAfterS: waitS });
  const vote = parseVoteRequest(await readJson(context, voteBodyBytesMax));
  if ('wrong' in vote) {
    throw new ServiceError('invalid_request', { message: `"${vote.wrong}" is not as expected.` });
  }
  const retryAfterS = parts.gate.refuseSession(vote.sessionId);
  if (retryAfterS !== undefined) throw new ServiceError('overloaded', { retryAfterS });
  return await submit(parts, context, token, vote);
}

async function submit(
  parts: CastVoteParts,
  context: Context,
  token: string | undefined,
  vote: VoteRequest,
): Promise<Accepted> {
  try {
    const accepted = await submitVote(parts, {
      token,
      address: viewerAddress(context),
      idempotencyKey: context.get('idempotency-key'),
      vote,
    });
    parts.gate.answered(vote.sessionId);
    return accepted;
  } catch (error) {
    if (error instanceof ServiceError && error.code === 'rate_limit_exceeded') {
      if (token !== undefined) parts.limitedTokens.remember(token, error.retryAfterS ?? 1);
    }
    throw error;
  }
}

/** A request without a token counts against its address like one with a bad token: not here. */
function tokenOf(context: Context): string | undefined {
  try {
    return bearerToken(context);
  } catch {
    return undefined;
  }
}

function answer(context: Context, { ballot, confirmation, done }: Accepted): void {
  const { vote_id, session_id } = ballot;
  const { code, commitment } = confirmation;
  const { kid, signature, ...recorded } = done;
  const receipt = assembleReceipt({ vote_id, session_id, commitment, ...recorded }, kid, signature);
  context.status = 201;
  context.set('cache-control', 'no-store');
  context.body = JSON.stringify({
    vote_id,
    status: 'accepted',
    timestamp: toTimestamp(done.acceptedAtMs),
    confirmation_code: code,
    receipt,
    message: acceptedMessage,
  });
  context.type = 'application/json';
}
