import { z } from 'zod';
import type { ZodOpenApiResponsesObject } from 'zod-openapi';
import { type ErrorCode, errorTable } from './errors.ts';

/** RFC 9457, as every error of ours is answered. */
const problemSchema = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    error: z.string().describe('A stable code; clients decide by it.'),
    message: z.string().describe('One sentence for people.'),
    request_id: z.string(),
    retryable: z.boolean(),
    retry_after: z.int().optional().describe('Seconds; on 429.'),
  })
  .meta({ id: 'Problem' });

/** What any address may answer. */
const everywhere: readonly ErrorCode[] = ['invalid_request', 'origin_only', 'internal_error'];

/** The OpenAPI responses of an operation's errors, several codes of one status together. */
export function problems(...codes: readonly ErrorCode[]): ZodOpenApiResponsesObject {
  const responses: ZodOpenApiResponsesObject = {};
  const all = [...codes, ...everywhere];
  for (const status of new Set(all.map((code) => errorTable[code][0]))) {
    const here = all.filter((code) => errorTable[code][0] === status);
    responses[`${status as 400}`] = {
      description: here.map((code) => `\`${code}\`: ${errorTable[code][2]}`).join(' '),
      content: { 'application/problem+json': { schema: problemSchema } },
    };
  }
  return responses;
}
