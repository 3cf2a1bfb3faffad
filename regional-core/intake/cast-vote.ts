import type { Context } from 'koa';
import { toTimestamp } from '#common/clock.ts';
import { assembleReceipt } from '#common/contracts/receipt.ts';
import { ServiceError } from '#common/errors.ts';
import { bearerToken, readJson, viewerAddress } from '#common/http.ts';
import { type Accepted, type SubmitParts, submitVote } from './submit-vote.ts';
import { parseVoteRequest, voteBodyBytesMax } from './vote-request.ts';

const acceptedMessage =
  'Your vote is recorded. If you voted more than once, your earliest choice counts.';

/** `POST /api/v1/votes`: size and shape here, the vote itself in `submit-vote.ts`. */
export function castVote(parts: SubmitParts): (context: Context) => Promise<void> {
  return async (context) => {
    const vote = parseVoteRequest(await readJson(context, voteBodyBytesMax));
    if ('wrong' in vote) {
      throw new ServiceError('invalid_request', { message: `"${vote.wrong}" is not as expected.` });
    }
    const accepted = await submitVote(parts, {
      token: tokenOf(context),
      address: viewerAddress(context),
      idempotencyKey: context.get('idempotency-key'),
      vote,
    });
    answer(context, accepted);
  };
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
