import type { Answer } from './api.ts';
import type { TextStore } from './kept-vote.ts';
import { type ReceiptKeys, readJwks } from './receipt.ts';
import { readObject } from './storage.ts';

/** The public keys as they are published, and kept here for checks without a network. */
const jwksPath = '/.well-known/jwks.json';
const storeKey = 'receipt-keys';

export type KeysWorld = { ask: (url: string) => Promise<Answer>; store: TextStore };

/** The published keys, else those kept by an earlier visit; null when there are none. */
export async function loadReceiptKeys({ ask, store }: KeysWorld): Promise<ReceiptKeys | null> {
  const answer = await ask(jwksPath);
  const published = answer.kind === 'ok' ? readJwks(answer.body) : null;
  if (published === null) return readJwks(readObject(store, storeKey));
  store.setItem(storeKey, JSON.stringify((answer as { body: unknown }).body));
  return published;
}
