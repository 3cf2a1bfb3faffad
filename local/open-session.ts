import { z } from 'zod';

/** Who administers, as `stack.json` tells it. */
export interface AdminCredentials {
  readonly email: string;
  readonly password: string;
}

const sessionAnswer = z.object({ session_id: z.string(), state: z.string() });

/**
 * Makes a session over HTTP as an admin would, and opens it unless its times have: log in, create,
 * open. `form` is the body of `POST /admin/api/v1/sessions`; each request has `requestMsMax`.
 * Resolves to the session's id. Throws an Error with the portal's answer when it refuses.
 */
export async function openNewSession(
  portal: string,
  admin: AdminCredentials,
  form: unknown,
  requestMsMax: number,
): Promise<string> {
  let cookie: string | undefined;
  const post = async (path: string, body: unknown): Promise<Response> => {
    const response = await fetch(`${portal}/admin/api/v1/${path}`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        origin: portal,
        ...(cookie === undefined ? {} : { cookie }),
      },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(requestMsMax),
    });
    if (response.ok) return response;
    const text = (await response.text()).slice(0, 500);
    throw new Error(`The portal refused ${path} (${response.status}): ${text}`);
  };
  const { headers } = await post('login', admin);
  cookie = headers
    .getSetCookie()
    .map((line) => line.split(';')[0])
    .join('; ');
  const created = await post('sessions', form);
  const { session_id: sessionId, state } = sessionAnswer.parse(await created.json());
  if (state !== 'open') await post(`sessions/${sessionId}/open`, {});
  return sessionId;
}
