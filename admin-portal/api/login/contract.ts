import { z } from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import { problems } from '#common/problem-contract.ts';

export const passwordLengthMax = 128;

/** An address is told apart without regard to case. */
export const emailField = z.string().trim().toLowerCase().max(254).pipe(z.email());

export const loginForm = z.strictObject({
  // Not checked further: what is no address is nobody's, and gets the same answer.
  email: z.string().trim().toLowerCase().min(1).max(254),
  password: z.string().min(1).max(passwordLengthMax),
});

/** Who is logged in. */
export const adminAnswer = z.object({ email: z.string(), role: z.enum(['admin']) });

export const paths: ZodOpenApiPathsObject = {
  '/admin/api/v1/login': {
    post: {
      operationId: 'logInAdmin',
      summary: 'Log in; the login is the cookie __Host-vote-admin (8 h, 30 min idle).',
      requestBody: { content: { 'application/json': { schema: loginForm } } },
      responses: {
        200: { description: 'Logged in', content: { 'application/json': { schema: adminAnswer } } },
        ...problems(
          'invalid_credentials',
          'forbidden',
          'body_too_large',
          'unsupported_media_type',
          'rate_limit_exceeded',
          'overloaded',
          'not_ready',
        ),
      },
    },
  },
};
