import { sleep } from '#common/clock.ts';

/** Who logs in. */
export interface Login {
  readonly email: string;
  readonly password: string;
}

/** The portal refused: its own sentence, and the code that programs decide by. */
export class PortalRefusal extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.name = 'PortalRefusal';
    this.code = code;
  }
}

/** A person's way into the portal: logged in, over HTTP, as a browser would. */
export interface PortalClient {
  /** Path below `/admin/api/v1`. Throws `PortalRefusal`, and an Error when nobody answers. */
  get<T>(path: string): Promise<T>;
  /** The same request again while its outcome is unknown: everything asked for is repeatable. */
  post<T>(path: string, body: unknown): Promise<T>;
}

const requestMsMax = 10_000;
const triesMax = 15;
const retryMs = 1000;

/**
 * Logs in. `headers` go with every request; for tests, which come without the edge. Throws as the
 * client does.
 */
export async function logIn(
  portal: string,
  login: Login,
  headers: Readonly<Record<string, string>> = {},
): Promise<PortalClient> {
  let cookie: string | undefined;
  async function ask(method: string, path: string, body?: unknown): Promise<Response> {
    return fetch(`${portal}/admin/api/v1${path}`, {
      method,
      headers: {
        ...headers,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(cookie === undefined ? {} : { cookie }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(requestMsMax),
    }).catch((cause: unknown) => {
      throw new Error(`The portal at ${portal} does not answer.`, { cause });
    });
  }
  async function send<T>(method: string, path: string, body?: unknown): Promise<T> {
    for (let tries = 1; ; tries++) {
      const response = await ask(method, path, body);
      if (response.ok) return (await response.json()) as T;
      const refusal = await readRefusal(response);
      if (response.status !== 503 || tries === triesMax) throw refusal;
      await sleep(retryMs);
    }
  }
  const response = await ask('POST', '/login', login);
  if (!response.ok) {
    const { code, message } = await readRefusal(response);
    throw new PortalRefusal(code, `${login.email} cannot log in: ${message}`);
  }
  cookie = response.headers
    .getSetCookie()
    .map((line) => line.split(';')[0])
    .join('; ');
  return {
    get: (path) => send('GET', path),
    post: (path, body) => send('POST', path, body),
  };
}

async function readRefusal(response: Response): Promise<PortalRefusal> {
  const text = await response.text();
  try {
    const { error, message } = JSON.parse(text) as { error: string; message: string };
    return new PortalRefusal(error, message);
  } catch {
    return new PortalRefusal('unreadable', `status ${response.status}: ${text.slice(0, 200)}`);
  }
}
