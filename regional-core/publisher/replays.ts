import type { Correction, TotalsMessage } from '#common/contracts/vote-aggregated.ts';

/** What was told of a session last: only against it can a count have fallen. */
export type ToldCounts = Pick<
  TotalsMessage,
  'epoch' | 'sequence' | 'total_votes' | 'counts' | 'corrected'
>;

/** A message stays small; of more corrections the latest are listed. */
export const correctedMax = 100;

/**
 * The message with every replay that was told before, and a new one when a count lies below what
 * was told by more than new corrections explain. A fail-over that lost commits makes the ledger
 * read records again, and of two choices by one voter another may come first: the same offsets,
 * other winners, and no row in the database that says so.
 */
export function withReplays(next: TotalsMessage, told: ToldCounts | undefined): TotalsMessage {
  if (told === undefined) return next;
  const listed = next.corrected ?? [];
  const moved = fallOf(next, told) - explainedBy(listed, told.corrected ?? []);
  const replays: Correction[] = replaysOf(told);
  if (moved > 0) replays.push({ kind: 'replay', at_ms: next.at_ms, moved });
  return { ...next, corrected: inOrder([...listed, ...replays]) };
}

/** Of two messages about a session the newer, with the replays of both. */
export function newerCounts(held: ToldCounts | undefined, next: ToldCounts): ToldCounts {
  if (held === undefined) return next;
  const isOlder =
    next.epoch < held.epoch || (next.epoch === held.epoch && next.sequence < held.sequence);
  const [newer, older] = isOlder ? [held, next] : [next, held];
  const listed = newer.corrected ?? [];
  const missing = replaysOf(older).filter((one) => !listed.some((other) => isSame(one, other)));
  return { ...newer, corrected: inOrder([...listed, ...missing]) };
}

/** Votes by which options lie below what was told; of hidden counts the total's alone. */
function fallOf(next: ToldCounts, told: ToldCounts): number {
  const { counts } = next;
  if (counts === null || told.counts === null) return told.total_votes - next.total_votes;
  return told.counts.reduce(
    (fall, count, optionNo) => fall + Math.max(0, count - (counts[optionNo] ?? 0)),
    0,
  );
}

/** Votes that corrections which were not told yet may have taken from options. */
function explainedBy(listed: readonly Correction[], told: readonly Correction[]): number {
  // Once a session; after a fail-over it is done again, at another time.
  const isSealTold = told.some(({ kind }) => kind === 'seal');
  return listed
    .filter(({ kind }) => kind !== 'restore' && !(kind === 'seal' && isSealTold))
    .filter((one) => !told.some((other) => isSame(one, other)))
    .reduce((sum, { moved }) => sum + moved, 0);
}

function replaysOf({ corrected = [] }: ToldCounts): Correction[] {
  return corrected.filter(({ kind }) => kind === 'replay');
}

function isSame(one: Correction, other: Correction): boolean {
  return one.kind === other.kind && one.at_ms === other.at_ms;
}

function inOrder(corrected: readonly Correction[]): Correction[] {
  return corrected.toSorted((a, b) => a.at_ms - b.at_ms).slice(-correctedMax);
}
