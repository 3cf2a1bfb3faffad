import { z } from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import { problems } from '#common/problem-contract.ts';
import { opaqueTokenPattern } from '../token/opaque-token.ts';
import { emailLengthMax } from './email-address.ts';

export const passwordLengthMin = 10;
export const passwordLengthMax = 128;

export const registerBody = z
  .strictObject({
    email: z.string().max(emailLengthMax),
    password: z
      .string()
      .min(passwordLengthMin, `At least ${passwordLengthMin} characters, please.`)
      .max(passwordLengthMax, `At most ${passwordLengthMax} characters, please.`),
  })
  .meta({ id: 'Registration' });

export const verifyBody = z
  .strictObject({ token: z.string().regex(opaqueTokenPattern) })
  .meta({ id: 'Verification' });

export const paths: ZodOpenApiPathsObject = {
  '/api/v1/auth/register': {
    post: {
      operationId: 'register',
      summary: 'Ask for an account; the mail has the link that makes it.',
      description: 'The answer is the same whether the address has an account or not.',
      requestBody: { content: { 'application/json': { schema: registerBody } } },
      responses: {
        '202': {
          description: 'A mail is on its way.',
          content: {
            'application/json': { schema: z.object({ status: z.literal('verification_sent') }) },
          },
        },
        ...problems(
          'body_too_large',
          'unsupported_media_type',
          'rate_limit_exceeded',
          'overloaded',
          'not_ready',
        ),
      },
    },
  },
  '/api/v1/auth/verify': {
    post: {
      operationId: 'verify',
      summary: 'Confirm the address with the token of the mail; good once, for 24 hours.',
      requestBody: { content: { 'application/json': { schema: verifyBody } } },
      responses: {
        '200': {
          description: 'The account is made; log in.',
          content: {
            'application/json': { schema: z.object({ status: z.literal('verified') }) },
          },
        },
        ...problems(
          'body_too_large',
          'unsupported_media_type',
          'invalid_verification',
          'outcome_unknown',
          'not_ready',
        ),
      },
    },
  },
};
