import { z } from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import { problems } from '#common/problem-contract.ts';

export const approvalKeyForm = z.strictObject({
  x: z.string().regex(/^[\w-]{43}$/, { message: 'must be 32 bytes in base64url' }),
});

const approvalKeyAnswer = z.object({
  kid: z.string(),
  x: z.string(),
  admin_id: z.string(),
  registered_at: z.iso.datetime(),
});

export type ApprovalKeyAnswer = z.infer<typeof approvalKeyAnswer>;

export const paths: ZodOpenApiPathsObject = {
  '/admin/api/v1/approval-keys': {
    get: {
      operationId: 'listApprovalKeys',
      summary: 'Public keys by which admins sign acts, newest first, at most 200.',
      responses: {
        200: {
          description: 'Keys',
          content: {
            'application/json': { schema: z.object({ keys: z.array(approvalKeyAnswer) }) },
          },
        },
        ...problems('invalid_token', 'forbidden', 'not_ready'),
      },
    },
    post: {
      operationId: 'registerApprovalKey',
      summary: 'Register the public half of an Ed25519 key as your own.',
      description: 'The private half never leaves the person. The same key again answers the same.',
      requestBody: { content: { 'application/json': { schema: approvalKeyForm } } },
      responses: {
        201: {
          description: 'The key',
          content: { 'application/json': { schema: approvalKeyAnswer } },
        },
        ...problems(
          'invalid_token',
          'forbidden',
          'already_taken',
          'act_conflict',
          'body_too_large',
          'unsupported_media_type',
          'outcome_unknown',
          'not_ready',
        ),
      },
    },
  },
};
