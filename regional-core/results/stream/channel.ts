import type { Known } from '../state.ts';
import { type View, type Viewer, viewOf } from '../view.ts';
import { type StreamForm, streamFormats } from './change.ts';
import type { Stream } from './stream.ts';

/** Streams of one session that get the same bytes. */
export interface Group {
  readonly channel: Channel;
  readonly viewer: Viewer;
  readonly form: StreamForm;
  readonly streams: Set<Stream>;
}

type Views = Readonly<Record<Viewer, View>>;

/** The streams of one session, and the totals that the last round brought them to. */
export class Channel {
  readonly sessionId: string;
  readonly #groups = new Map<string, Group>();
  #sent: Views;

  constructor(known: Known, nowMs: number) {
    this.sessionId = known.session.session_id;
    this.#sent = viewsOf(known, nowMs);
  }

  get sent(): Views {
    return this.#sent;
  }

  get groups(): Iterable<Group> {
    return this.#groups.values();
  }

  get isEmpty(): boolean {
    return this.#groups.size === 0;
  }

  /** Begins a round: what streams were brought to before, and what this round brings them to. */
  advance(known: Known, nowMs: number): { previous: Views; next: Views } {
    const previous = this.#sent;
    this.#sent = viewsOf(known, nowMs);
    return { previous, next: this.#sent };
  }

  /** The group of a form and viewer: at most eight a session. */
  groupOf(viewer: Viewer, form: StreamForm): Group {
    const key = `${viewer} ${streamFormats.indexOf(form.format)} ${form.withCovers}`;
    const found = this.#groups.get(key);
    if (found !== undefined) return found;
    const group = { channel: this, viewer, form, streams: new Set<Stream>() };
    this.#groups.set(key, group);
    return group;
  }

  /** Takes a stream out in constant time, and the group with its last stream. */
  remove(group: Group, stream: Stream): void {
    group.streams.delete(stream);
    if (group.streams.size > 0) return;
    for (const [key, held] of this.#groups) if (held === group) this.#groups.delete(key);
  }
}

function viewsOf(known: Known, nowMs: number): Views {
  return { public: viewOf(known, 'public', nowMs), voter: viewOf(known, 'voter', nowMs) };
}
