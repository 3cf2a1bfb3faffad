import { z } from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import { problems } from '#common/problem-contract.ts';

const jwksAnswer = z
  .object({
    keys: z.array(
      z.object({
        kty: z.literal('OKP'),
        crv: z.literal('Ed25519'),
        x: z.string(),
        kid: z.string(),
        alg: z.literal('EdDSA'),
        use: z.literal('sig'),
      }),
    ),
  })
  .meta({ id: 'Jwks' });

export const paths: ZodOpenApiPathsObject = {
  '/.well-known/jwks.json': {
    get: {
      operationId: 'getJwks',
      summary: 'Public keys of access tokens, ballots and receipts.',
      responses: {
        '200': {
          description: 'The keys.',
          content: { 'application/json': { schema: jwksAnswer } },
        },
        ...problems(),
      },
    },
  },
};
