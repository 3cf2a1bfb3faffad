/** A whole HTTP answer, as far as the crowd looks at it. */
export interface Answer {
  readonly status: number;
  readonly retryAfterS: number | undefined;
  readonly body: string;
  /** False when the server ends the connection after this answer. */
  readonly keepsAlive: boolean;
}

const headBytesMax = 16 * 1024;
export const answerBytesMax = 256 * 1024;

/**
 * Reads one HTTP/1.1 answer (RFC 9112) from what has come so far; undefined while it is incomplete.
 * Bodies come with a length or in chunks; one that ends with the connection is not read. Throws an
 * Error for anything else, and for an answer beyond 256 kB.
 */
export function readAnswer(bytes: Buffer): Answer | undefined {
  if (bytes.length > answerBytesMax) throw new Error('the answer is larger than 256 kB');
  const headEnd = bytes.indexOf('\r\n\r\n');
  if (headEnd < 0) {
    if (bytes.length > headBytesMax) throw new Error('the head of the answer does not end');
    return undefined;
  }
  const head = bytes.toString('latin1', 0, headEnd);
  const status = /^HTTP\/1\.1 (\d{3})/.exec(head);
  if (status === null) throw new Error('the answer is not HTTP/1.1');
  const retryAfter = field(head, 'retry-after');
  const body = readBody(head, bytes, headEnd + 4);
  if (body === undefined) return undefined;
  return {
    status: Number(status[1]),
    retryAfterS: retryAfter !== undefined && /^\d+$/.test(retryAfter) ? +retryAfter : undefined,
    body,
    keepsAlive: field(head, 'connection')?.toLowerCase() !== 'close',
  };
}

function readBody(head: string, bytes: Buffer, start: number): string | undefined {
  const length = field(head, 'content-length');
  if (length !== undefined) {
    const end = start + Number(length);
    return bytes.length < end ? undefined : bytes.toString('utf8', start, end);
  }
  if (/^HTTP\/1\.1 (204|304)/.test(head)) return '';
  if (field(head, 'transfer-encoding')?.toLowerCase() !== 'chunked') {
    throw new Error('the answer has neither a length nor chunks');
  }
  return readChunks(bytes, start);
}

function readChunks(bytes: Buffer, start: number): string | undefined {
  const parts: Buffer[] = [];
  for (let at = start; ; ) {
    const lineEnd = bytes.indexOf('\r\n', at);
    if (lineEnd < 0) return undefined;
    const size = Number.parseInt(bytes.toString('latin1', at, lineEnd), 16);
    if (!(size >= 0)) throw new Error('a chunk has no size');
    const end = lineEnd + 2 + size;
    if (bytes.length < end + 2) return undefined;
    if (size === 0) return Buffer.concat(parts).toString();
    parts.push(bytes.subarray(lineEnd + 2, end));
    at = end + 2;
  }
}

/** A header field's value; names are compared without regard to case. */
function field(head: string, name: string): string | undefined {
  const found = fieldPatterns[name]!.exec(head);
  return found?.[1]?.trim();
}

const fieldPatterns: Readonly<Record<string, RegExp>> = Object.fromEntries(
  ['retry-after', 'content-length', 'connection', 'transfer-encoding'].map((name) => [
    name,
    new RegExp(`\\r\\n${name}:([^\\r]*)`, 'i'),
  ]),
);
