import { inject } from 'vitest';

export interface StreamEvent {
  readonly event: string;
  readonly id: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export interface Stream {
  readonly status: number;
  readonly headers: Headers;
  /** What has come in so far, oldest first. */
  readonly events: readonly StreamEvent[];
  readonly close: () => Promise<void>;
}

/** Opens a results stream at the edge and reads it until it is closed. */
export async function openStream(
  path: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Stream> {
  const leaving = new AbortController();
  const response = await fetch(new URL(path, inject('stack').edge), {
    headers: { connection: 'close', accept: 'text/event-stream', ...headers },
    signal: leaving.signal,
  });
  const events: StreamEvent[] = [];
  const reading = read(response, events).catch((error: unknown) => {
    if (!leaving.signal.aborted) throw error;
  });
  return {
    status: response.status,
    headers: response.headers,
    events,
    close: () => {
      leaving.abort();
      return reading;
    },
  };
}

async function read(response: Response, events: StreamEvent[]): Promise<void> {
  let rest = '';
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    rest += decoder.decode(chunk as Uint8Array, { stream: true });
    const blocks = rest.split('\n\n');
    rest = blocks.pop() ?? '';
    for (const block of blocks) {
      const event = parse(block);
      if (event !== undefined) events.push(event);
    }
  }
}

/** Comments and the retry field are no events. */
function parse(block: string): StreamEvent | undefined {
  const fields = new Map(
    block.split('\n').map((line): [string, string] => {
      const colon = line.indexOf(': ');
      return [line.slice(0, colon), line.slice(colon + 2)];
    }),
  );
  const data = fields.get('data');
  if (data === undefined) return undefined;
  return {
    event: fields.get('event') ?? 'message',
    id: fields.get('id') ?? '',
    data: JSON.parse(data) as Record<string, unknown>,
  };
}
