/** An event of a stream (WHATWG HTML, section 9.2.6). */
export interface SseEvent {
  /** Absent: the client's `onmessage`. */
  readonly event?: string;
  /** What a reconnect sends back as Last-Event-ID. */
  readonly id?: number;
  readonly data: string;
}

/** The event's text. Line ends inside data become lines of their own, so none can end a field. */
export function encodeEvent({ event, id, data }: SseEvent): string {
  let text = '';
  if (id !== undefined) text += `id: ${id}\n`;
  if (event !== undefined) text += `event: ${event}\n`;
  for (const line of data.split(/\r\n|[\r\n]/)) text += `data: ${line}\n`;
  return `${text}\n`;
}

/** Asks the client to wait this long before it connects again. */
export function encodeRetry(retryMs: number): string {
  return `retry: ${Math.round(retryMs)}\n\n`;
}

/** A comment: keeps idle connections open and finds dead ones; clients do not see it. */
export const heartbeatText = ':\n\n';

/**
 * Text as it goes to the socket. The same bytes serve every stream of a kind:
 *
 *    ┌─────────────┬──────┬──────┬──────┐
 *    │ size in hex │ CRLF │ text │ CRLF │   framed: one chunk of HTTP/1.1 (RFC 9112, section 7.1)
 *    └─────────────┴──────┼──────┼──────┘
 *                         └ raw ─┘          a body that ends with its connection: HTTP/1.0
 */
export interface Chunk {
  readonly framed: Buffer;
  readonly raw: Buffer;
}

/** Frames text once for all. Throws a TypeError for no text: an empty chunk would end the body. */
export function frameChunk(text: string): Chunk {
  if (text === '') throw new TypeError('an empty chunk ends the body');
  const bytes = Buffer.byteLength(text);
  const head = `${bytes.toString(16)}\r\n`;
  const framed = Buffer.from(`${head}${text}\r\n`);
  return { framed, raw: framed.subarray(head.length, head.length + bytes) };
}

/**
 * The sequence a client has seen, from its Last-Event-ID; undefined for anything but one of ours,
 * as the header may come from another source of events.
 */
export function parseLastEventId(header: string): number | undefined {
  if (!/^\d{1,16}$/.test(header)) return undefined;
  const sequence = Number(header);
  return Number.isSafeInteger(sequence) ? sequence : undefined;
}
