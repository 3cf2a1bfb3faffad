import type { z } from 'zod';
import { ServiceError } from '#common/errors.ts';
import type { JsonObject } from '#common/strict-json.ts';

/** The body as the contract describes it. Throws `invalid_request` and says what is wrong. */
export function parseBody<S extends z.ZodType>(schema: S, body: JsonObject): z.infer<S> {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const where = issue?.path.join('.') ?? '';
  const message = where === '' ? issue?.message : `${where}: ${issue?.message}`;
  throw new ServiceError('invalid_request', message === undefined ? {} : { message });
}
