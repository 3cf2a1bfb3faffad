import { z } from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import { problems } from '#common/problem-contract.ts';

/** An act as every route answers it. */
export const actAnswer = z.object({
  act_hash: z.string().describe('SHA-256 of the body, hex: what is signed.'),
  kind: z.enum(['finalise', 'declare_lost', 'void', 'restore']),
  body: z.string().describe('Canonical JSON.'),
  proposed_by: z.string(),
  proposed_at: z.iso.datetime(),
  agreed_at: z.iso.datetime().nullable().describe('When two people had signed and it was done.'),
  signatures: z.array(
    z.object({ kid: z.string(), admin_id: z.string(), signed_at: z.iso.datetime() }),
  ),
});

export type ActAnswer = z.infer<typeof actAnswer>;

export const actPath = z.object({ act_hash: z.string() });

export const foundAct = {
  description: 'The act as it stands',
  content: { 'application/json': { schema: actAnswer } },
};

export const paths: ZodOpenApiPathsObject = {
  '/admin/api/v1/acts/{act_hash}': {
    get: {
      operationId: 'getAct',
      summary: 'An act, and who signed it.',
      requestParams: { path: actPath },
      responses: {
        200: foundAct,
        ...problems('invalid_token', 'forbidden', 'not_found', 'not_ready'),
      },
    },
  },
};
