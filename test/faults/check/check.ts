import {
  type Covers,
  coversAtLeast,
  type TotalsMessage,
} from '#common/contracts/vote-aggregated.ts';
import type { Attempt } from '../crowd/history.ts';
import type { Evidence, Place, VoteInLog, VoteRow } from './evidence.ts';

/** One thing that must hold, whether it did, and the figures that say so. */
export interface Finding {
  readonly name: string;
  readonly ok: boolean;
  readonly text: string;
}

/** What a scenario knows to be otherwise, because it destroyed something. */
export interface Allowed {
  /** Votes whose 201 may be lost: exactly these, as a destroyed region takes them with it. */
  readonly lost?: ReadonlySet<string>;
}

/**
 * Every 201 ends in one state, nobody counts twice, the books agree: a pure function of the
 * evidence. A finding names the invariant of docs/faults.md that it stands for.
 */
export function check(evidence: Evidence, allowed: Allowed = {}): Finding[] {
  const view = arrange(evidence);
  return [
    ...checkAccepted(evidence, view, allowed.lost ?? new Set()),
    ...checkRows(evidence, view),
    ...checkCounts(evidence, view),
    ...checkBooks(evidence),
    ...checkPublished(evidence),
    ...checkAnswers(evidence, view),
  ];
}

/** Votes that were answered with 201 and have neither a counted row nor came late. */
export function lostVotes(evidence: Evidence): Set<string> {
  const view = arrange(evidence);
  return new Set(
    [...view.accepted].filter(([, oks]) => isLost(oks, view)).map(([voteId]) => voteId),
  );
}

interface View {
  /** Vote id → its attempts that were answered with 201. */
  readonly accepted: ReadonlyMap<string, readonly Attempt[]>;
  readonly records: ReadonlyMap<string, VoteInLog>;
  readonly recordsOf: ReadonlyMap<string, readonly VoteInLog[]>;
  readonly rows: ReadonlyMap<string, VoteRow>;
  readonly late: ReadonlySet<string>;
  readonly conflicts: ReadonlySet<string>;
  readonly quarantined: ReadonlySet<string>;
  readonly placeOf: (attempt: Attempt) => Place | undefined;
}

function arrange(evidence: Evidence): View {
  const accepted = Map.groupBy(
    evidence.attempts.filter(({ outcome }) => outcome === 'ok'),
    ({ voteId }) => voteId,
  );
  return {
    accepted,
    records: new Map(evidence.records.map((record) => [keyOf(record), record])),
    recordsOf: Map.groupBy(evidence.records, ({ voteId }) => voteId),
    rows: new Map(evidence.rows.map((row) => [row.voteId, row])),
    late: new Set(evidence.late.map(keyOf)),
    conflicts: new Set(evidence.conflicts.map(keyOf)),
    quarantined: new Set(evidence.quarantined.map(keyOf)),
    placeOf: ({ answer }) => {
      const receipt = answer === undefined ? undefined : evidence.receipts.get(answer.receipt);
      if (receipt === undefined) return undefined;
      return { log: receipt.region, partition: receipt.partition, offset: receipt.offset };
    },
  };
}

/** A vote that has 201s is lost when it has no counted row, unless each of them is listed as late. */
function isLost(oks: readonly Attempt[], view: View): boolean {
  const voteId = oks[0]!.voteId;
  if (view.rows.has(voteId)) return false;
  return !oks.every((attempt) => {
    const place = view.placeOf(attempt);
    return place !== undefined && view.late.has(keyOf(place));
  });
}

/** I1, I6, I8: every 201's record lies where its receipt says, and ends in exactly one state. */
function checkAccepted(evidence: Evidence, view: View, mayBeLost: ReadonlySet<string>): Finding[] {
  const missing: string[] = [];
  const stateless: string[] = [];
  const places = new Map<string, string>();
  const shared: string[] = [];
  for (const [voteId, oks] of view.accepted) {
    for (const attempt of oks) {
      const place = view.placeOf(attempt);
      if (place === undefined || mayBeLost.has(voteId)) continue;
      const key = keyOf(place);
      if ((places.get(key) ?? voteId) !== voteId) shared.push(key);
      places.set(key, voteId);
      const record = view.records.get(key);
      const isThere = record?.voteId === voteId && record.optionNo === attempt.optionNo;
      // A log that is not read any more cannot be asked; its copies are.
      if (!isThere && !evidence.unreadLogs.has(place.log)) missing.push(`${voteId} at ${key}`);
      if (isThere && statesOf(record, view, evidence).length !== 1) stateless.push(key);
    }
  }
  const behindSeal = [...places.keys()].filter((key) => view.late.has(key));
  // What the lab's voters send is sound, and nobody puts a vote of theirs under review.
  const setAside = [...places.keys()].filter((key) => view.quarantined.has(key));
  const lost = [...lostVotes(evidence)].filter((voteId) => !mayBeLost.has(voteId));
  const { size } = view.accepted;
  return [
    found('every 201 is recorded', missing, `${size} votes were accepted`),
    found('every 201 has one state', stateless, 'counted, replayed, duplicate, late, quarantined'),
    found('no 201 is late', behindSeal, `${places.size} places`),
    found('no 201 is quarantined', setAside, `${places.size} places`),
    found('no 201 is lost', lost, `${size} votes were accepted`),
    found('no two votes were given one place', shared, `${places.size} places`),
  ];
}

function statesOf(record: VoteInLog, view: View, evidence: Evidence): string[] {
  const key = keyOf(record);
  const row = view.rows.get(record.voteId);
  const states: string[] = [];
  if (view.late.has(key)) states.push('late');
  if (view.quarantined.has(key)) states.push('quarantined');
  if (states.length > 0 || row === undefined) return states;
  if (keyOf(row) === key) return ['counted'];
  // What lost to the row and differs from it is listed, so that the seal can decide.
  const differs = row.optionNo !== record.optionNo || record.acceptedAtMs < row.acceptedAtMs;
  const isListed = view.conflicts.has(key) || evidence.sealedAtMs !== undefined;
  if (differs && !isListed) return [];
  return [row.optionNo === record.optionNo ? 'replayed' : 'duplicate'];
}

/** I2, I4, I8: one row a voter, of a record in the log, in time, sent by somebody. */
function checkRows(evidence: Evidence, view: View): Finding[] {
  const twice = evidence.rows.length - view.rows.size;
  const invented: string[] = [];
  const refused: string[] = [];
  const tooLate: string[] = [];
  const sent = Map.groupBy(evidence.attempts, ({ voteId }) => voteId);
  for (const row of evidence.rows) {
    const record = view.records.get(keyOf(row));
    const isUnread = evidence.unreadLogs.has(row.log);
    if (!isUnread && (record?.voteId !== row.voteId || record.optionNo !== row.optionNo)) {
      invented.push(keyOf(row));
    }
    const attempts = (sent.get(row.voteId) ?? []).filter((one) => one.optionNo === row.optionNo);
    if (!attempts.some(({ outcome }) => outcome !== 'fail')) refused.push(row.voteId);
    if (row.acceptedAtMs > evidence.closesAtMs) tooLate.push(row.voteId);
  }
  return [
    {
      name: 'nobody is counted twice',
      ok: twice === 0,
      text: `${evidence.rows.length} rows of ${view.rows.size} voters`,
    },
    found('every row is a record of the log', invented, `${evidence.rows.length} rows`),
    found('nothing counts that was refused or never sent', refused, `${sent.size} voters`),
    found('nothing counts that came after closing', tooLate, `${evidence.rows.length} rows`),
  ];
}

/** I3, I11: tallies, rows and a recount of the log give the same numbers. */
function checkCounts(evidence: Evidence, view: View): Finding[] {
  const counting = evidence.rows.filter(({ voteId }) => !evidence.voids.has(voteId));
  const byRow = countBy(counting.map(({ optionNo }) => optionNo));
  const recounted = recount(evidence, view);
  const isSealed = evidence.sealedAtMs !== undefined;
  const notCounted = [...recounted.keys()].filter((voteId) => !view.rows.has(voteId));
  const otherwise = isSealed
    ? [...recounted]
        .filter(([voteId, optionNo]) => view.rows.get(voteId)?.optionNo !== optionNo)
        .map(([voteId]) => voteId)
    : [];
  const { counted } = evidence.verdicts;
  return [
    {
      name: 'tallies are the rows',
      ok: isSame(byRow, evidence.tallies),
      text: `rows ${show(byRow)}, tallies ${show(evidence.tallies)}`,
    },
    {
      name: 'verdicts are the rows',
      ok: counted === evidence.rows.length,
      text: `${counted} verdicts of counted, ${evidence.rows.length} rows`,
    },
    found('a recount of the log finds no other voter', notCounted, `${recounted.size} recounted`),
    found('the seal chose as the rule does', otherwise, isSealed ? 'sealed' : 'not sealed'),
  ];
}

/** Vote id → the option that the rule chooses: smallest time of acceptance, then option id. */
function recount(evidence: Evidence, view: View): Map<string, number> {
  const chosen = new Map<string, number>();
  // Ids are ASCII: their UTF-16 order is the order of their bytes.
  const ranks = evidence.optionIds.map(
    (id) => evidence.optionIds.filter((other) => other < id).length,
  );
  const rankOf = ({ optionNo }: VoteInLog): number => ranks[optionNo] ?? Number.POSITIVE_INFINITY;
  for (const [voteId, records] of view.recordsOf) {
    const counting = records.filter(
      (record) =>
        record.acceptedAtMs <= evidence.closesAtMs &&
        !evidence.unreadLogs.has(record.log) &&
        !view.late.has(keyOf(record)) &&
        !view.quarantined.has(keyOf(record)),
    );
    const [first] = counting.toSorted(
      (one, other) => one.acceptedAtMs - other.acceptedAtMs || rankOf(one) - rankOf(other),
    );
    if (first !== undefined) chosen.set(voteId, first.optionNo);
  }
  return chosen;
}

/** I5, I10: each partition's books balance, and everything was read. */
function checkBooks(evidence: Evidence): Finding[] {
  const off = evidence.books.filter(
    (book) => book.logStart !== undefined && book.nextOffset !== book.judged,
  );
  const behind = evidence.books.filter(
    ({ log, logEnd, nextOffset }) =>
      logEnd !== undefined && nextOffset !== logEnd && !evidence.unreadLogs.has(log),
  );
  const name = ({ log, partition, nextOffset, judged, logEnd }: (typeof off)[number]): string =>
    `${log}/${partition}: next ${nextOffset}, judged ${judged}, end ${logEnd}`;
  return [
    found('every offset has one verdict', off.map(name), `${evidence.books.length} partitions`),
    found('nothing is left to read', behind.map(name), `${evidence.books.length} partitions`),
  ];
}

/** I7: what was published never falls, but by a correction that is listed. */
function checkPublished(evidence: Evidence): Finding[] {
  const falls: string[] = [];
  let messages = 0;
  for (const [region, list] of evidence.published) {
    messages += list.length;
    for (const [at, next] of list.entries()) {
      const held = list[at - 1];
      if (held === undefined) continue;
      const fallen = fallOf(next, held);
      const listed = newlyListed(next, held);
      if (fallen > listed) falls.push(`${region}: ${fallen} votes fell, ${listed} are listed`);
      if (!coversAtLeast(next.covers, heldCovers(next, held, evidence.unreadLogs))) {
        falls.push(`${region}: covers fell`);
      }
      if (next.sequence < held.sequence) falls.push(`${region}: sequence fell`);
    }
  }
  return [found('what was published never fell', falls, `${messages} messages`)];
}

/** Votes by which options, or the total where they are hidden, lie below what was told before. */
function fallOf(next: TotalsMessage, held: TotalsMessage): number {
  const ofTotal = Math.max(0, held.total_votes - next.total_votes);
  const ofOptions = (held.counts ?? []).reduce(
    (fall, count, optionNo) => fall + Math.max(0, count - (next.counts?.[optionNo] ?? count)),
    0,
  );
  return Math.max(ofTotal, ofOptions);
}

/** Votes that corrections moved which were not listed before. */
function newlyListed(next: TotalsMessage, held: TotalsMessage): number {
  const known = new Set((held.corrected ?? []).map((one) => JSON.stringify(one)));
  return (next.corrected ?? [])
    .filter((one) => !known.has(JSON.stringify(one)))
    .reduce((sum, { moved }) => sum + moved, 0);
}

/** What must not fall: a log that a newer epoch has given up keeps what a fail-over left of it. */
function heldCovers(
  next: TotalsMessage,
  held: TotalsMessage,
  unreadLogs: ReadonlySet<string>,
): Covers {
  if (next.epoch === held.epoch) return held.covers;
  return Object.fromEntries(Object.entries(held.covers).filter(([log]) => !unreadLogs.has(log)));
}

/** I9: receipts verify, and a voter who asks again is told the same. */
function checkAnswers(evidence: Evidence, view: View): Finding[] {
  const unsigned: string[] = [];
  const changed: string[] = [];
  for (const [voteId, oks] of view.accepted) {
    for (const { answer } of oks) {
      const receipt = evidence.receipts.get(answer!.receipt);
      if (receipt?.vote_id !== voteId || answer!.vote_id !== voteId) unsigned.push(voteId);
    }
    const byOption = Map.groupBy(oks, ({ optionNo }) => optionNo);
    for (const same of byOption.values()) {
      const codes = new Set(same.map(({ answer }) => answer!.confirmation_code));
      if (codes.size > 1) changed.push(voteId);
    }
  }
  // "Already voted" may be told only to somebody whose vote is recorded.
  const disowned = evidence.attempts.filter(
    ({ code, voteId }) => code === 'duplicate_vote' && !view.recordsOf.has(voteId),
  );
  return [
    found('every receipt verifies', unsigned, `${evidence.receipts.size} receipts`),
    found('a retry gives the same id and code', changed, `${view.accepted.size} voters`),
    found(
      'nobody without a record is told to have voted',
      disowned.map(({ voteId }) => voteId),
      `${evidence.attempts.length} attempts`,
    ),
  ];
}

function found(name: string, faults: readonly string[], of: string): Finding {
  const shown = faults.slice(0, 3).join('; ');
  const text = faults.length === 0 ? of : `${faults.length} not: ${shown} (${of})`;
  return { name, ok: faults.length === 0, text };
}

function keyOf({ log, partition, offset }: Place): string {
  return `${log}/${partition}/${offset}`;
}

function countBy(numbers: readonly number[]): Map<number, number> {
  const counts = new Map<number, number>();
  for (const number of numbers) counts.set(number, (counts.get(number) ?? 0) + 1);
  return counts;
}

function isSame(one: ReadonlyMap<number, number>, other: ReadonlyMap<number, number>): boolean {
  const keys = new Set([...one.keys(), ...other.keys()]);
  return [...keys].every((key) => (one.get(key) ?? 0) === (other.get(key) ?? 0));
}

function show(counts: ReadonlyMap<number, number>): string {
  const sorted = [...counts].toSorted(([one], [other]) => one - other);
  return sorted.map(([optionNo, votes]) => `${optionNo}:${votes}`).join(' ') || 'none';
}
