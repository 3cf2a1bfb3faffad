import type { JsonObject } from '#common/strict-json.ts';
import { isUuid } from '#common/uuid.ts';

/** Body of `POST /votes`, at most this long: a full one has about 600 bytes. */
export const voteBodyBytesMax = 2048;

/**
 * What is believed of the body. `user_id`, the address and the client's own time are checked for
 * their form and then dropped: the ballot says whose vote it is, the edge where it comes from.
 */
export interface VoteRequest {
  readonly sessionId: string;
  readonly optionId: string;
}

/** RFC 3339 section 5.6, as far as a pattern goes; the value is dropped, so the rest is not checked. */
export const timePattern = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/;

type Check = (value: unknown) => boolean;

const text =
  (lengthMax: number): Check =>
  (value) =>
    typeof value === 'string' && value.length <= lengthMax;

const optional =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value);

const metadataFields: Readonly<Record<string, Check>> = {
  ip_address: text(64),
  user_agent: text(512),
  device_fingerprint: text(256),
  timezone: text(64),
};

const isMetadata: Check = (value) =>
  value !== null &&
  typeof value === 'object' &&
  !Array.isArray(value) &&
  hasOnly(value as JsonObject, metadataFields, optional);

const fields: Readonly<Record<string, Check>> = {
  user_id: optional(text(128)),
  session_id: isUuid,
  option_id: (value) => text(64)(value) && value !== '',
  timestamp: optional((value) => typeof value === 'string' && timePattern.test(value)),
  client_metadata: optional(isMetadata),
};

/** The vote asked for, or the name of the first member that is missing, unknown or malformed. */
export function parseVoteRequest(body: JsonObject): VoteRequest | { readonly wrong: string } {
  for (const name of Object.keys(body)) {
    if (!Object.hasOwn(fields, name)) return { wrong: name };
  }
  for (const [name, check] of Object.entries(fields)) {
    if (!check(body[name])) return { wrong: name };
  }
  return { sessionId: String(body['session_id']), optionId: String(body['option_id']) };
}

/**
 * `Idempotency-Key`: made by the client before it sends. Required and traced; the choice decides.
 */
export function isIdempotencyKey(header: string): boolean {
  return /^[\w-]{8,128}$/.test(header);
}

function hasOnly(
  value: JsonObject,
  known: Readonly<Record<string, Check>>,
  each: (check: Check) => Check,
): boolean {
  return Object.entries(value).every(
    ([name, member]) => Object.hasOwn(known, name) && each(known[name]!)(member),
  );
}
