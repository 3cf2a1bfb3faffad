import { toTimestamp } from '#common/clock.ts';
import type { View } from '../view.ts';
import { encodeEvent } from './sse.ts';

/** `vote_update`: an event for each option that changed. `tick`: one compact event for all. */
export const streamFormats = ['vote_update', 'tick'] as const;
export type StreamFormat = (typeof streamFormats)[number];

/** How a stream wants its changes. */
export interface StreamForm {
  readonly format: StreamFormat;
  /** Adds `covers` to the last event of a tick, for who waits for one vote to be counted. */
  readonly withCovers: boolean;
}

/**
 * True when the way from one view to the next is more than other counts at a higher sequence: the
 * session opened, closed or was edited, counts came into sight or out of it, were corrected, or
 * hold. Streams then get the whole snapshot, since a change says nothing of these.
 */
export function needsSnapshot(previous: View, next: View): boolean {
  return (
    next.sequence <= previous.sequence ||
    next.state !== previous.state ||
    next.known.session !== previous.known.session ||
    next.isStale !== previous.isStale ||
    next.corrected.length !== previous.corrected.length ||
    (next.counts === null) !== (previous.counts === null)
  );
}

/** True when the two show the same to a viewer: nothing needs to be sent. */
export function isSameView(previous: View, next: View): boolean {
  return (
    next.known === previous.known &&
    next.state === previous.state &&
    (next.counts === null) === (previous.counts === null)
  );
}

/**
 * The events that lead from one view to the next, as the text of one chunk; undefined when this
 * form has nothing to say about it. Counts are absolute, so a client that missed a tick loses
 * nothing. Only the last event carries the id: a client cut off in between asks for the whole tick
 * again.
 */
export function encodeChange(previous: View, next: View, form: StreamForm): string | undefined {
  const changed = changedOptions(previous, next);
  const totalChanged = next.totalVotes !== previous.totalVotes;
  if (changed.length === 0 && !totalChanged && !form.withCovers) return undefined;
  const covers = form.withCovers ? { covers: next.covers } : {};
  if (form.format === 'tick') {
    const c = changed.map((optionNo) => [optionNo, next.counts?.[optionNo]]);
    const data = JSON.stringify({ t: next.totalVotes, c, ...covers });
    return encodeEvent({ id: next.sequence, data });
  }
  // While counts are hidden the total still moves: one event that names no option.
  const told = changed.length === 0 ? [undefined] : changed;
  return told
    .map((optionNo, index) => {
      const isLast = index === told.length - 1;
      const data = JSON.stringify({ ...voteUpdate(next, optionNo), ...(isLast ? covers : {}) });
      return encodeEvent({ event: 'vote_update', data, ...(isLast ? { id: next.sequence } : {}) });
    })
    .join('');
}

function changedOptions(previous: View, next: View): number[] {
  const changed: number[] = [];
  next.counts?.forEach((count, optionNo) => {
    if (count !== previous.counts?.[optionNo]) changed.push(optionNo);
  });
  return changed;
}

function voteUpdate({ known, counts, totalVotes, updatedAtMs }: View, optionNo?: number) {
  return {
    type: 'vote_update',
    session_id: known.session.session_id,
    option_id: optionNo === undefined ? null : known.session.options[optionNo]?.option_id,
    new_count: optionNo === undefined ? null : counts?.[optionNo],
    total_votes: totalVotes,
    timestamp: toTimestamp(updatedAtMs),
  };
}
