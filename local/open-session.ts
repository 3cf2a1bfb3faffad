import { type Login, logIn } from './portal-client.ts';

/**
 * Makes a session over HTTP as an admin would, and opens it unless its times have. `form` is the
 * body of `POST /admin/api/v1/sessions`. Resolves to the session's id. Throws what the portal's
 * client throws.
 */
export async function openNewSession(portal: string, admin: Login, form: unknown): Promise<string> {
  const client = await logIn(portal, admin);
  const created = await client.post<{ session_id: string; state: string }>('/sessions', form);
  if (created.state !== 'open') await client.post(`/sessions/${created.session_id}/open`, {});
  return created.session_id;
}
