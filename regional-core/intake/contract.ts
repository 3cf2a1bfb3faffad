import { z } from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import { problems } from '#common/problem-contract.ts';
import { isUuid } from '#common/uuid.ts';
import { timePattern } from './vote-request.ts';

/** The body, as `vote-request.ts` checks it by hand; a property test holds the two together. */
export const voteBody = z
  .strictObject({
    user_id: z.string().max(128).optional().describe('Never believed: the ballot says who.'),
    session_id: z.string().refine(isUuid, 'A UUID in lower case').meta({ format: 'uuid' }),
    option_id: z.string().min(1).max(64),
    timestamp: z.string().regex(timePattern).optional().describe('Never believed.'),
    client_metadata: z
      .strictObject({
        ip_address: z.string().max(64).optional().describe('Dropped at once.'),
        user_agent: z.string().max(512).optional(),
        device_fingerprint: z.string().max(256).optional(),
        timezone: z.string().max(64).optional(),
      })
      .optional(),
  })
  .meta({ id: 'Vote' });

const accepted = z
  .object({
    vote_id: z.uuid(),
    status: z.literal('accepted'),
    timestamp: z.iso.datetime({ precision: 3 }).describe('When it was accepted.'),
    confirmation_code: z.string().describe('XXXXX-XXXXX; the same for the same choice.'),
    receipt: z.string().describe('Compact JWS, EdDSA; keys in /.well-known/jwks.json.'),
    message: z.string(),
  })
  .meta({ id: 'AcceptedVote' });

export const paths: ZodOpenApiPathsObject = {
  '/api/v1/votes': {
    post: {
      operationId: 'castVote',
      summary: 'Submit a vote. The same choice may be sent again at any time while open.',
      description:
        'A 4xx wrote nothing. A 503, a cut or a time-out leaves the outcome unknown: send the same ' +
        'choice again, here or to another region, or ask for the state of the vote.',
      security: [{ ballotToken: [] }],
      requestParams: {
        header: z.object({
          'idempotency-key': z
            .string()
            .regex(/^[\w-]{8,128}$/)
            .describe('Made and kept before sending; traced. The choice decides, not the key.'),
        }),
      },
      requestBody: { content: { 'application/json': { schema: voteBody } } },
      responses: {
        201: {
          description: 'The vote is recorded; the earliest choice of a voter counts.',
          content: { 'application/json': { schema: accepted } },
        },
        ...problems(
          'invalid_token',
          'duplicate_vote',
          'vote_in_progress',
          'session_not_open',
          'session_closed',
          'body_too_large',
          'unsupported_media_type',
          'unknown_option',
          'invalid_ballot',
          'rate_limit_exceeded',
          'outcome_unknown',
          'overloaded',
          'not_ready',
        ),
      },
    },
  },
};
