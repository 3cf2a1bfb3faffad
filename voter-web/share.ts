/** The part of Web Locks and BroadcastChannel that is used; null where the browser has none. */
export type TabLink = {
  /** Holds the lock until the work ends or the signal aborts. */
  lead: (name: string, signal: AbortSignal, work: () => Promise<void>) => void;
  channel: (name: string) => TabChannel;
};

/**
 * What one tab sends every other one hears, and not itself. Messages are copied, so plain data
 * alone.
 */
export type TabChannel = {
  send: (message: unknown) => void;
  onMessage: (hear: (message: unknown) => void) => void;
  close: () => void;
};

/**
 * Lets any number of tabs live on one source: one leads, runs the source and tells the others; when
 * it goes, the next takes over. A tab that joins says hello and is told the last value.
 *
 * @param run starts the source in the leading tab; returns what stops it
 * @returns what takes this tab out
 */
export function shareSource<T>(
  name: string,
  link: TabLink | null,
  run: (tell: (value: T) => void) => () => void,
  hear: (value: T) => void,
): () => void {
  if (link === null) return run(hear);
  const channel = link.channel(name);
  const leaving = new AbortController();
  let leads = false;
  let last: { value: T } | null = null;
  channel.onMessage((message) => {
    const { hello, value } = message as { hello?: true; value?: T };
    if (hello === true && leads && last !== null) channel.send(last);
    else if (value !== undefined && !leads) hear(value);
  });
  link.lead(name, leaving.signal, async () => {
    leads = true;
    const stop = run((value) => {
      last = { value };
      hear(value);
      channel.send(last);
    });
    await new Promise<void>((resolve) => {
      leaving.signal.addEventListener('abort', () => resolve(), { once: true });
    });
    stop();
  });
  channel.send({ hello: true });
  return () => {
    leaving.abort();
    channel.close();
  };
}
