/**
 * What a client makes of a stream's text: WHATWG HTML, section 9.2.6, to the letter and no more.
 */
export interface Heard {
  readonly event: string;
  readonly data: string;
  readonly lastEventId: string;
}

export class EventSourceParser {
  readonly events: Heard[] = [];
  readonly comments: string[] = [];
  retryMs: number | undefined;
  #rest = '';
  #event = '';
  #data = '';
  #idOfEvent: string;
  #lastEventId = '';

  constructor() {
    this.#idOfEvent = this.#lastEventId;
  }

  /** Takes text as it comes, cut anywhere. */
  push(text: string): void {
    this.#rest += text;
    for (;;) {
      const end = /\r\n|\n|\r(?!$)/.exec(this.#rest);
      if (end === null) return;
      const line = this.#rest.slice(0, end.index);
      this.#rest = this.#rest.slice(end.index + end[0].length);
      this.#takeLine(line);
    }
  }

  #takeLine(line: string): void {
    if (line === '') return this.#dispatch();
    const colon = line.indexOf(':');
    if (colon === 0) {
      this.comments.push(line.slice(1));
      return;
    }
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'event') this.#event = value;
    if (field === 'data') this.#data += `${value}\n`;
    if (field === 'id' && !value.includes('\0')) this.#idOfEvent = value;
    if (field === 'retry' && /^\d+$/.test(value)) this.retryMs = Number(value);
  }

  #dispatch(): void {
    this.#lastEventId = this.#idOfEvent;
    if (this.#data !== '') {
      this.events.push({
        event: this.#event === '' ? 'message' : this.#event,
        data: this.#data.slice(0, -1),
        lastEventId: this.#lastEventId,
      });
    }
    this.#data = '';
    this.#event = '';
  }
}
