import { expect, inject } from 'vitest';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** The JSON object; what is not JSON stands in `text`. */
  readonly body: Readonly<Record<string, unknown>>;
}

export interface Request {
  readonly method?: 'GET' | 'POST' | 'DELETE';
  /** Sent as JSON; a string goes as it is. */
  readonly body?: unknown;
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const requestMsMax = 10_000;

/** Asks the edge as a client that knows the contracts and nothing of the services behind it. */
export async function ask(path: string, request: Request = {}): Promise<Answer> {
  const { body, token, headers, method = body === undefined ? 'GET' : 'POST' } = request;
  const response = await fetch(new URL(path, inject('stack').edge), {
    method,
    headers: {
      // A kept connection would look like a leak at the end of the file.
      connection: 'close',
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    signal: AbortSignal.timeout(requestMsMax),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: readObject(text) };
}

function readObject(text: string): Record<string, unknown> {
  return text.startsWith('{') ? (JSON.parse(text) as Record<string, unknown>) : { text };
}

/** Expects problem+json with its members, none more than named here. */
export function expectProblem(
  answer: Answer,
  status: number,
  error: string,
  { retryable = false, ...members }: Readonly<Record<string, unknown>> = {},
): void {
  expect(answer.body, `${answer.status} ${JSON.stringify(answer.body)}`).toEqual({
    type: `/problems/${error}`,
    title: answer.body['message'],
    status,
    error,
    message: expect.stringMatching(/^\S.*\S$/),
    request_id: expect.stringMatching(/^[0-9a-f]{32}$/),
    retryable,
    ...members,
  });
  expect(answer.status).toBe(status);
  expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
  expect(answer.headers.get('x-request-id')).toBe(answer.body['request_id']);
}

/** RFC 3339 UTC with milliseconds. */
export const timestamp: unknown = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
export const uuid: unknown = expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);

/** A member that the contract says is a text. */
export function textOf(answer: Answer, name: string): string {
  const value = answer.body[name];
  if (typeof value !== 'string') {
    throw new Error(`No ${name} in ${answer.status} ${JSON.stringify(answer.body)}`);
  }
  return value;
}
