import { z } from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import { problems } from '#common/problem-contract.ts';
import { emailField, passwordLengthMax } from '../login/contract.ts';

export const newAdminForm = z.strictObject({
  email: emailField,
  password: z.string().min(12).max(passwordLengthMax),
});

const newAdminAnswer = z.object({ admin_id: z.string(), email: z.string() });

export const paths: ZodOpenApiPathsObject = {
  '/admin/api/v1/admins': {
    post: {
      operationId: 'createAdmin',
      summary: 'Make another admin; two people decide what one may not.',
      description: 'The same address and password again answer the same.',
      requestBody: { content: { 'application/json': { schema: newAdminForm } } },
      responses: {
        201: {
          description: 'The admin',
          content: { 'application/json': { schema: newAdminAnswer } },
        },
        ...problems(
          'invalid_token',
          'forbidden',
          'already_taken',
          'body_too_large',
          'unsupported_media_type',
          'outcome_unknown',
          'overloaded',
          'not_ready',
        ),
      },
    },
  },
};
