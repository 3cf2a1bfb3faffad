import { type Act, actBody, actHash, signAct } from '#common/contracts/act.ts';
import type { SigningKey } from '#common/keys.ts';
import { type PortalClient, PortalRefusal } from '../portal-client.ts';

/** How an act stands after this person's signature. */
export interface Submitted {
  readonly hash: string;
  /** `signed_before`: by this person, and by nobody else yet. */
  readonly state: 'agreed' | 'waiting' | 'signed_before';
}

interface ActAnswer {
  readonly agreed_at: string | null;
}

/** Proposes an act and signs it here: the private key goes nowhere. Throws `PortalRefusal`. */
export async function submitAct(
  client: PortalClient,
  act: Act,
  key: SigningKey,
): Promise<Submitted> {
  const body = actBody(act);
  const hash = actHash(body);
  const proposed = await client.post<ActAnswer>('/acts', { body });
  if (proposed.agreed_at !== null) return { hash, state: 'agreed' };
  try {
    const signed = await client.post<ActAnswer>(`/acts/${hash}/signatures`, signAct(body, key));
    return { hash, state: signed.agreed_at === null ? 'waiting' : 'agreed' };
  } catch (error) {
    const isOwn = error instanceof PortalRefusal && error.code === 'already_signed';
    if (isOwn) return { hash, state: 'signed_before' };
    throw error;
  }
}

/** What a person is told whose act waits for another one. */
export function explainWaiting({ hash, state }: Submitted): string {
  const signed = state === 'signed_before' ? 'You have signed this already' : 'Signed';
  return `${signed}; another person has to run the same with a key of his own.\nact ${hash}\n`;
}
