import type { TextStore } from './kept-vote.ts';

/**
 * A store that never throws: what the browser will not keep (private mode, storage full or blocked)
 * lives in memory as long as the page. A vote can then be cast, but not resumed by a reload.
 */
export function safeStore(open: () => TextStore): TextStore {
  const memory = new Map<string, string>();
  const real = attempt(open);
  return {
    getItem: (key) => memory.get(key) ?? attempt(() => real?.getItem(key) ?? null) ?? null,
    setItem(key, value) {
      memory.delete(key);
      const kept = attempt(() => {
        real?.setItem(key, value);
        return real !== null;
      });
      if (kept !== true) memory.set(key, value);
    },
    removeItem(key) {
      memory.delete(key);
      attempt(() => real?.removeItem(key));
    },
  };
}

/** Reads a small JSON object out of a store; null when there is none or it is not one. */
export function readObject(
  store: TextStore,
  key: string,
): Readonly<Record<string, unknown>> | null {
  const value = attempt(() => JSON.parse(store.getItem(key) ?? 'null') as unknown);
  return typeof value === 'object' ? (value as Record<string, unknown> | null) : null;
}

function attempt<T>(work: () => T): T | null {
  try {
    return work();
  } catch {
    return null;
  }
}
