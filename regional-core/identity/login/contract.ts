import { z } from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import { strengths } from '#common/contracts/ballot-token.ts';
import { problems } from '#common/problem-contract.ts';
import { passwordLengthMax } from '../account/contract.ts';
import { emailLengthMax } from '../account/email-address.ts';
import { opaqueTokenPattern } from '../token/opaque-token.ts';

export const loginBody = z
  .strictObject({
    email: z.string().min(1).max(emailLengthMax),
    password: z.string().min(1).max(passwordLengthMax),
    // Taken for the sake of clients that send it, and dropped.
    device_info: z
      .strictObject({
        user_agent: z.string().max(512).optional(),
        device_fingerprint: z.string().max(256).optional(),
      })
      .optional(),
  })
  .meta({ id: 'Login' });

const refreshToken = z.string().regex(opaqueTokenPattern);
export const refreshBody = z.strictObject({ refresh_token: refreshToken }).meta({ id: 'Refresh' });
export const logoutBody = z
  .strictObject({ refresh_token: refreshToken.optional() })
  .meta({ id: 'Logout' });

const tokensAnswer = z
  .object({
    user_id: z.uuid(),
    access_token: z.string(),
    refresh_token: z.string().describe('Good once, for 7 days.'),
    expires_in: z.int().describe('Seconds that the access token lives.'),
    token_type: z.literal('Bearer'),
  })
  .meta({ id: 'Tokens' });

const validAnswer = z
  .object({
    valid: z.literal(true),
    sub: z.uuid(),
    verified: z.boolean(),
    acr: z.enum(strengths),
    exp: z.int().describe('Seconds since the epoch.'),
  })
  .meta({ id: 'TokenState' });

const json = (schema: z.ZodType) => ({ content: { 'application/json': { schema } } });
const body = ['body_too_large', 'unsupported_media_type'] as const;

export const paths: ZodOpenApiPathsObject = {
  '/api/v1/auth/login': {
    post: {
      operationId: 'login',
      summary: 'Log in with e-mail and password.',
      requestBody: json(loginBody),
      responses: {
        '200': { description: 'Logged in.', ...json(tokensAnswer) },
        ...problems(
          ...body,
          'invalid_credentials',
          'email_not_verified',
          'rate_limit_exceeded',
          'overloaded',
          'not_ready',
        ),
      },
    },
  },
  '/api/v1/auth/refresh': {
    post: {
      operationId: 'refresh',
      summary: 'Exchange a refresh token; using one twice ends the whole login.',
      requestBody: json(refreshBody),
      responses: {
        '200': { description: 'Fresh tokens.', ...json(tokensAnswer) },
        ...problems(...body, 'invalid_token', 'not_ready'),
      },
    },
  },
  '/api/v1/auth/logout': {
    post: {
      operationId: 'logout',
      summary: 'End the login of the access token, of the refresh token, or of both.',
      security: [{ accessToken: [] }],
      requestBody: json(logoutBody),
      responses: {
        '200': {
          description: 'Logged out.',
          ...json(z.object({ status: z.literal('logged_out') })),
        },
        ...problems(...body, 'invalid_token', 'not_ready'),
      },
    },
  },
  '/api/v1/auth/validate': {
    get: {
      operationId: 'validate',
      summary: 'Whether an access token is good now.',
      security: [{ accessToken: [] }],
      responses: {
        '200': { description: 'It is.', ...json(validAnswer) },
        ...problems('invalid_token'),
      },
    },
  },
};
