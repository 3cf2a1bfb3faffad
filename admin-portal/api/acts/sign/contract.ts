import { z } from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import { problems } from '#common/problem-contract.ts';
import { actPath, foundAct } from '../contract.ts';

export const signatureForm = z.strictObject({
  kid: z.string().regex(/^[\w-]{11}$/, { message: 'must be a key id of 11 characters' }),
  signature: z.string().regex(/^[\w-]{86}$/, { message: 'must be 64 bytes in base64url' }),
});

export const paths: ZodOpenApiPathsObject = {
  '/admin/api/v1/acts/{act_hash}/signatures': {
    post: {
      operationId: 'signAct',
      summary: "Sign an act with a key of your own; the second person's signature does it.",
      description:
        'Signed is the text `vote-act-v1:` and the hash. A second signature of one person is ' +
        'refused. A result is then made final by the ledger.',
      requestParams: { path: actPath },
      requestBody: { content: { 'application/json': { schema: signatureForm } } },
      responses: {
        200: foundAct,
        ...problems(
          'invalid_token',
          'forbidden',
          'not_found',
          'act_conflict',
          'already_signed',
          'invalid_signature',
          'body_too_large',
          'unsupported_media_type',
          'outcome_unknown',
          'not_ready',
        ),
      },
    },
  },
};
