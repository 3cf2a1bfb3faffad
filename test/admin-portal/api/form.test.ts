import { expect, test } from 'vitest';
import { z } from 'zod';
import { ServiceError } from '#common/errors.ts';
import { parseForm } from '../../../admin-portal/api/form.ts';

const form = z.strictObject({
  name: z.string().min(2).max(4),
  parts: z.array(z.strictObject({ size: z.int() })).max(2),
});

function faultsOf(body: Record<string, unknown>): unknown {
  try {
    parseForm(form, body);
    return undefined;
  } catch (error) {
    expect(error).toBeInstanceOf(ServiceError);
    return (error as ServiceError).members['fields'];
  }
}

test('gives what the contract reads', () => {
  const body = { name: 'abc', parts: [{ size: 1 }] };
  expect(parseForm(form, body)).toEqual(body);
});

test.each([
  [{ parts: [] }, 'name', 'is required'],
  [{ name: 1, parts: [] }, 'name', 'must be a string'],
  [{ name: 'a', parts: [] }, 'name', 'must have at least 2 characters'],
  [{ name: 'abcde', parts: [] }, 'name', 'must have at most 4 characters'],
  [{ name: 'abc', parts: [{}] }, 'parts.0.size', 'is required'],
  [{ name: 'abc', parts: [{ size: 1.5 }] }, 'parts.0.size', 'must be an int'],
  [{ name: 'abc', parts: [1] }, 'parts.0', 'must be an object'],
  [{ name: 'abc', parts: [1, 2, 3] }, 'parts', 'must have at most 2 entries'],
  [{ name: 'abc', parts: [], more: 1 }, 'body', 'has unknown members: more'],
])('%j is told field by field', (body, field, message) => {
  expect(faultsOf(body)).toContainEqual({ field, message });
});

test('says the first fault as a sentence', () => {
  expect(() => parseForm(form, { parts: [] })).toThrow('name is required.');
});
