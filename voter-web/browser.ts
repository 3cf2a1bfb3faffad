import type { StreamHandlers } from './live-results.ts';
import type { Subtle } from './receipt.ts';
import type { TabChannel, TabLink } from './share.ts';
import { safeStore } from './storage.ts';

// The one place that touches the browser: what it gives is handed to the logic as an argument.

export const deviceStore = safeStore(() => localStorage);
export const tabStore = safeStore(() => sessionStorage);

/** Pages that come back online together spread their first request over this. */
const onlineSpreadMs = 1000;
const saveMsMax = 60_000;

/** Absent on a page that did not come over TLS, nor from this machine. */
export const { subtle } = crypto as { subtle: Subtle };

/** Offers text as a file to keep. */
export function saveFile(name: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: 'text/plain' }));
  const link = Object.assign(document.createElement('a'), { href: url, download: name });
  link.click();
  // The browser has taken what it needs by then, and an address left behind keeps its bytes.
  setTimeout(() => URL.revokeObjectURL(url), saveMsMax);
}

/** Waits that long, or until the device is back online. */
export function wait(ms: number): Promise<void> {
  return new Promise((resolve) => {
    let timer = setTimeout(done, ms);
    function backOnline(): void {
      clearTimeout(timer);
      timer = setTimeout(done, Math.random() * onlineSpreadMs);
    }
    function done(): void {
      removeEventListener('online', backOnline);
      resolve();
    }
    addEventListener('online', backOnline, { once: true });
  });
}

/** Calls back once after that time; returns what cancels it. */
export function after(ms: number, work: () => void): () => void {
  const timer = setTimeout(work, ms);
  return () => clearTimeout(timer);
}

const running = new Set<string>();

/** Runs work while no other tab does; without Web Locks, while this tab does not. */
export async function alone(name: string, work: () => Promise<void>): Promise<void> {
  if ('locks' in navigator) {
    await navigator.locks.request(name, work);
    return;
  }
  if (running.has(name)) return;
  running.add(name);
  await work().finally(() => running.delete(name));
}

/** What ties the tabs together; null where the browser lacks it and each tab has its own stream. */
export function tabLink(): TabLink | null {
  if (!('locks' in navigator) || typeof BroadcastChannel === 'undefined') return null;
  return {
    lead(name, signal, work) {
      // Leaving the queue by the signal rejects: that is how leaving is meant.
      navigator.locks.request(name, { signal }, work).catch(() => undefined);
    },
    channel,
  };
}

function channel(name: string): TabChannel {
  const open = new BroadcastChannel(name);
  return {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a channel has none
    send: (message) => open.postMessage(message),
    onMessage: (hear) => {
      open.addEventListener('message', (event) => hear(event.data));
    },
    close: () => open.close(),
  };
}

/** Opens a results stream; the browser reconnects by itself until it is refused or closed. */
export function openStream(url: string, handlers: StreamHandlers): { close: () => void } {
  const source = new EventSource(url);
  const onTick = (event: MessageEvent<string>): void => {
    handlers.onTick(event.data, event.lastEventId);
  };
  source.addEventListener('open', handlers.onOpen);
  source.addEventListener('snapshot', (event) => handlers.onSnapshot(event.data as string));
  source.addEventListener('tick', onTick);
  source.addEventListener('message', onTick);
  source.addEventListener('error', () => {
    handlers.onError(source.readyState === EventSource.CLOSED);
  });
  return source;
}
