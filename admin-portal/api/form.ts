import type { z } from 'zod';
import { ServiceError } from '#common/errors.ts';
import type { JsonObject } from '#common/strict-json.ts';

/** What is wrong with one field: `options.0.label`, and a sentence that completes it. */
export interface FieldFault {
  readonly field: string;
  readonly message: string;
}

const faultsShownMax = 20;

/**
 * The body as its contract reads it. Throws `invalid_request` with the member `fields`: every fault
 * at once, so that a form can show each beside its field.
 */
export function parseForm<S extends z.ZodType>(schema: S, body: JsonObject): z.output<S> {
  const parsed = schema.safeParse(body, { error: explain });
  if (parsed.success) return parsed.data;
  const fields = parsed.error.issues.slice(0, faultsShownMax).map(
    (issue): FieldFault => ({
      field: issue.path.length === 0 ? 'body' : issue.path.join('.'),
      message: issue.message,
    }),
  );
  throw invalidForm(fields);
}

/**
 * The error to throw for at least one fault: the first one is its sentence, `fields` has them all.
 */
export function invalidForm(fields: readonly FieldFault[]): ServiceError {
  const first = fields[0]!;
  return new ServiceError('invalid_request', {
    message: `${first.field} ${first.message}.`,
    members: { fields },
  });
}

/** Zod's own sentences talk about types and input; these complete the name of the field. */
function explain(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.code === 'invalid_type') {
    return issue.input === undefined ? 'is required' : `must be ${named(issue.expected)}`;
  }
  if (issue.code === 'invalid_value') return `must be one of ${issue.values.join(', ')}`;
  if (issue.code === 'unrecognized_keys') return `has unknown members: ${issue.keys.join(', ')}`;
  const unit = issue.code === 'too_small' || issue.code === 'too_big' ? units[issue.origin] : '';
  if (issue.code === 'too_small') return `must have at least ${issue.minimum}${unit ?? ''}`;
  if (issue.code === 'too_big') return `must have at most ${issue.maximum}${unit ?? ''}`;
  if (issue.code === 'invalid_format' && issue.format === 'datetime') {
    return 'must be a time in RFC 3339, such as 2030-01-31T20:00:00Z';
  }
  // A contract's own checks bring their own sentence.
  return undefined;
}

const units: Readonly<Record<string, string>> = { string: ' characters', array: ' entries' };

function named(type: string): string {
  return /^[aeiou]/.test(type) ? `an ${type}` : `a ${type}`;
}
