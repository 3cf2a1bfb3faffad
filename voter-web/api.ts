/**
 * An error as our services, WAF or CloudFront tell it, reduced to what a voter and the page need.
 */
export type Problem = {
  status: number;
  /** The stable code; `unreadable` when the answer was not in our shape. */
  error: string;
  /** One sentence by the server, in English: shown only where the catalogue knows no better. */
  message: string;
  /** What to quote to support; null when the answer named none. */
  requestId: string | null;
  retryable: boolean;
  /** Seconds, whole, from `Retry-After`; null when not given or not a number. */
  retryAfterS: number | null;
  /** The whole document, for members such as `existing_vote_id`. */
  members: Readonly<Record<string, unknown>>;
};

/**
 * How a request ended. `challenge` is WAF asking for proof of a human, whatever the status: it is
 * never a success. `none` is no answer at all, or a success that is not JSON (a hotel's sign-in
 * page): for a vote both mean an unknown outcome.
 */
export type Answer =
  | { kind: 'ok'; status: number; body: Readonly<Record<string, unknown>> | readonly unknown[] }
  | { kind: 'problem'; problem: Problem }
  | { kind: 'challenge'; requestId: string | null }
  | { kind: 'none' };

/** `body` is sent as JSON. `timeoutMs` is 10 s by default, from the call to the last byte. */
export type ApiRequest = {
  method?: 'GET' | 'POST';
  headers?: Record<string, string>;
  body?: unknown;
  timeoutMs?: number;
};

/** Enough for a phone on a slow network; a vote has a shorter one of its own. */
const TIMEOUT_MS = 10_000;

/** Sends one request and reads the answer by its shape. Never throws. */
export async function ask(url: string, request: ApiRequest = {}): Promise<Answer> {
  const { method = 'GET', headers = {}, body, timeoutMs = TIMEOUT_MS } = request;
  try {
    const response = await fetch(url, {
      method,
      headers: body === undefined ? headers : { ...headers, 'content-type': 'application/json' },
      body: body === undefined ? null : JSON.stringify(body),
      // The CDN's cache is the one that counts: the browser's would answer with older totals.
      cache: 'no-store',
      signal: AbortSignal.timeout(timeoutMs),
    });
    return readAnswer(response.status, response.headers, await response.text());
  } catch {
    return { kind: 'none' };
  }
}

/**
 * Decides by status and shape, not by content type: WAF's own errors come as `application/json`.
 */
export function readAnswer(
  status: number,
  headers: { get(name: string): string | null },
  text: string,
): Answer {
  const document = readJson(text);
  const requestId =
    textOf(document?.['request_id']) ?? headers.get('x-request-id') ?? headers.get('x-amz-cf-id');
  if (headers.get('x-amzn-waf-action') !== null) return { kind: 'challenge', requestId };
  if (status >= 200 && status < 300) {
    if (document === null)
      return status === 204 ? { kind: 'ok', status, body: {} } : { kind: 'none' };
    return { kind: 'ok', status, body: document };
  }
  const retryAfter = Number(headers.get('retry-after') ?? document?.['retry_after'] ?? Number.NaN);
  const problem: Problem = {
    status,
    error: textOf(document?.['error']) ?? 'unreadable',
    message: textOf(document?.['message']) ?? '',
    requestId,
    retryable: document?.['retryable'] === true || status >= 500,
    retryAfterS: Number.isFinite(retryAfter) && retryAfter >= 0 ? Math.ceil(retryAfter) : null,
    members: document ?? {},
  };
  return { kind: 'problem', problem };
}

/** The answer as a problem to show, also where nobody answered. */
export function problemOf(answer: Answer): Problem | null {
  if (answer.kind === 'ok') return null;
  if (answer.kind === 'problem') return answer.problem;
  const challenged = answer.kind === 'challenge';
  return {
    status: 0,
    error: challenged ? 'suspicious_activity' : 'no_answer',
    message: '',
    requestId: challenged ? answer.requestId : null,
    retryable: true,
    retryAfterS: null,
    members: {},
  };
}

/** A member of a problem's document that must be text; empty when it is not there. */
export function textMember(problem: Problem, name: string): string {
  return textOf(problem.members[name]) ?? '';
}

function readJson(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}
