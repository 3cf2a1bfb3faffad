import { randomBytes, randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { SessionSecrets } from '../../../../regional-core/identity/ballot/session-secrets.ts';

const wrappingKey = randomBytes(32);

/** A store in memory: the first offer stands. */
function createStore() {
  const rows = new Map<string, Buffer>();
  const store = { reads: 0, isAway: false };
  const keep = async (sessionId: string, offered: Buffer): Promise<Buffer> => {
    store.reads += 1;
    if (store.isAway) throw new Error('away');
    if (!rows.has(sessionId)) rows.set(sessionId, offered);
    return rows.get(sessionId)!;
  };
  return { store, keep };
}

test('two processes that come first at once work with one secret', async () => {
  const { keep } = createStore();
  const sessionId = randomUUID();
  const [one, two] = await Promise.all([
    new SessionSecrets(wrappingKey, keep).get(sessionId),
    new SessionSecrets(wrappingKey, keep).get(sessionId),
  ]);
  expect(one.export()).toHaveLength(32);
  expect(two.equals(one)).toBe(true);
});

test('a secret is read once, however many ask, and goes on without the store', async () => {
  const { store, keep } = createStore();
  const secrets = new SessionSecrets(wrappingKey, keep);
  const sessionId = randomUUID();
  await Promise.all([secrets.get(sessionId), secrets.get(sessionId), secrets.get(sessionId)]);
  store.isAway = true;
  await secrets.get(sessionId);
  expect(store.reads).toBe(1);
});

test('a secret that is forgotten is asked for again', async () => {
  const { store, keep } = createStore();
  const secrets = new SessionSecrets(wrappingKey, keep);
  const sessionId = randomUUID();
  await secrets.get(sessionId);
  secrets.forget(sessionId);
  store.isAway = true;
  await expect(secrets.get(sessionId)).rejects.toThrow('away');
});

test('a read that fails is told, and tried again by the next', async () => {
  const { store, keep } = createStore();
  const secrets = new SessionSecrets(wrappingKey, keep);
  const sessionId = randomUUID();
  store.isAway = true;
  await expect(secrets.get(sessionId)).rejects.toThrow('away');
  store.isAway = false;
  expect((await secrets.get(sessionId)).symmetricKeySize).toBe(32);
});
