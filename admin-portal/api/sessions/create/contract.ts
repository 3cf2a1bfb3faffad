import { z } from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import {
  eligibilityPolicies,
  resultsPolicies,
  sessionOptionsMax,
} from '#common/contracts/session.ts';
import { problems } from '#common/problem-contract.ts';
import { sessionAnswer } from '../contract.ts';

/** Text for people on one line: no control characters, which Postgres and pages trip over. */
function line(lengthMax: number) {
  return z
    .string()
    .trim()
    .min(1)
    .max(lengthMax)
    .refine((text) => text.isWellFormed() && !/\p{Cc}/u.test(text), {
      message: 'must be one line of plain text',
    });
}

const time = z.iso.datetime({ offset: true }).transform((text) => new Date(text));

const option = z.strictObject({
  option_id: z
    .string()
    .regex(/^[A-Za-z0-9][\w.-]{0,63}$/, {
      message: 'must be 1 to 64 letters, digits and - _ . and begin with a letter or digit',
    })
    .optional(),
  label: line(200),
});

export type OptionForm = z.output<typeof option>;

export const createSessionForm = z.strictObject({
  title: line(200),
  options: z.array(option).min(2).max(sessionOptionsMax),
  opens_at: time,
  closes_at: time,
  eligibility: z
    .array(z.strictObject({ policy: z.enum(eligibilityPolicies) }))
    .min(1)
    .max(eligibilityPolicies.length)
    .refine((entries) => new Set(entries.map(({ policy }) => policy)).size === entries.length, {
      message: 'must name each policy once',
    }),
  results_policy: z.enum(resultsPolicies),
});

export const paths: ZodOpenApiPathsObject = {
  '/admin/api/v1/sessions': {
    post: {
      operationId: 'createSession',
      summary: 'Create a session; it opens and closes by its times.',
      description:
        'With the header Idempotency-Key the same request again answers the same session.',
      requestBody: { content: { 'application/json': { schema: createSessionForm } } },
      responses: {
        201: {
          description: 'The session',
          content: { 'application/json': { schema: sessionAnswer } },
        },
        ...problems(
          'invalid_token',
          'forbidden',
          'session_conflict',
          'body_too_large',
          'unsupported_media_type',
          'outcome_unknown',
          'not_ready',
        ),
      },
    },
  },
};
