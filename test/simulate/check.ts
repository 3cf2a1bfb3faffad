import {
  type Covers,
  coversAtLeast,
  decodeTotalsMessage,
  type TotalsMessage,
} from '#common/contracts/vote-aggregated.ts';
import { decodeVoteRecord } from '#common/contracts/vote-submitted.ts';
import { isNewerTotals } from '../../regional-core/results/state.ts';
import type { Attempt } from './history.ts';
import { countWinners, type LoggedVote, readLogs } from './oracle.ts';
import { confirmation, receiptText, standInSignature } from './stand-ins.ts';
import { sessionId, type World } from './world.ts';

/**
 * What must hold at the end of every run, whatever went wrong in it (docs/invariants.md). Gives a
 * line for each thing that does not.
 */
export function checkRun(world: World): string[] {
  const wrong: string[] = [];
  const say = (invariant: string, what: string): void => {
    wrong.push(`${invariant}: ${what}`);
  };
  const logs = readLogs(world);
  checkCounted(world, logs, say);
  checkReceipts(world, say);
  checkRefusals(world, logs, say);
  checkTurnedAway(world, say);
  checkBalance(world, say);
  checkTotals(world, say);
  checkEnd(world, say);
  return wrong;
}

type Say = (invariant: string, what: string) => void;

/** I2, I3, I8, I11: rows are what the rule makes of the records, tallies are the rows. */
function checkCounted(world: World, logs: readonly LoggedVote[], say: Say): void {
  const { state } = world;
  const session = state.sessions.get(sessionId)!;
  const rows = state.votes.get(session.no) ?? new Map();
  const winners = countWinners(world, logs);
  for (const [voteId, winner] of winners) {
    const row = rows.get(voteId);
    if (row === undefined) say('I1', `${voteId} has records in time and no row`);
    else if (row.optionNo !== winner.optionNo || row.acceptedAtMs !== winner.acceptedAtMs) {
      say('I11', `${voteId}: option ${row.optionNo} counts, ${winner.optionNo} was first`);
    }
  }
  for (const voteId of rows.keys()) {
    if (!winners.has(voteId)) say('I8', `${voteId} counts and has no record in time`);
  }
  const perOption = new Map<number, number>();
  for (const { optionNo } of rows.values()) {
    perOption.set(optionNo, (perOption.get(optionNo) ?? 0) + 1);
  }
  const tallied = new Map<number, number>();
  for (const [key, votes] of state.tallies) {
    const optionNo = Number(key.split(':')[1]);
    tallied.set(optionNo, (tallied.get(optionNo) ?? 0) + votes);
  }
  for (const optionNo of world.plan.optionIds.keys()) {
    const [counted, tally] = [perOption.get(optionNo) ?? 0, tallied.get(optionNo) ?? 0];
    if (counted !== tally) say('I3', `option ${optionNo}: ${counted} rows, ${tally} in tallies`);
  }
}

/** I1, I6, I8, I9: what a receipt says is so, and stays so. */
function checkReceipts(world: World, say: Say): void {
  const { state } = world;
  const rows = state.votes.get(1) ?? new Map();
  const places = new Map<string, string>();
  for (const { ending, voteId, option, page } of world.history) {
    if (ending?.how !== 'ok') continue;
    const { done, confirmation: shown } = ending.accepted;
    const { region, partition, offset } = done;
    const optionNo = world.plan.optionIds.indexOf(option);
    if (shown.code !== confirmation(voteId, optionNo).code) say('I9', `page ${page}: other code`);
    const { commitment } = shown;
    const text = receiptText({ vote_id: voteId, session_id: sessionId, commitment, ...done });
    if (!done.signature.equals(standInSignature(text))) say('I9', `page ${page}: bad signature`);
    const place = `${region}/${partition}/${offset}`;
    const who = `${voteId} ${optionNo}`;
    if ((places.get(place) ?? who) !== who) say('I6', `two votes have receipts for ${place}`);
    places.set(place, who);
    const home = world.region(region);
    const record = home.votes.partitions[partition]?.records[offset];
    const read = record && decodeVoteRecord(record.key, record.value);
    const isThere =
      read !== undefined &&
      !('unreadable' in read) &&
      read.ballot.vote_id === voteId &&
      read.optionNo === optionNo &&
      read.acceptedAtMs === done.acceptedAtMs;
    if (!isThere && !home.isGone) say('I1', `page ${page}: nothing of it lies at ${place}`);
    const isCopied = done.durability === 'two-regions' || !home.isGone;
    if (!rows.has(voteId) && isCopied) say('I1', `page ${page} has a receipt and no row`);
    if (state.late.has(`${home.logNo}:${partition}:${offset}`)) {
      say('I8', `page ${page}: the record of its receipt is late`);
    }
  }
}

/** I4: nothing lies in a log that nobody may have written; nobody is told of a vote that is not. */
function checkRefusals(world: World, logs: readonly LoggedVote[], say: Say): void {
  const maySend = new Set<string>();
  for (const attempt of world.history) {
    if (attempt.ending?.how !== 'refused') maySend.add(choiceOf(world, attempt));
  }
  const written = new Map<string, Set<number>>();
  for (const { voteId, optionNo, isForged } of logs) {
    if (isForged) continue;
    written.set(voteId, (written.get(voteId) ?? new Set()).add(optionNo));
    if (!maySend.has(`${voteId} ${optionNo}`)) {
      say('I4', `${voteId} was refused option ${optionNo}, and it lies in the log`);
    }
  }
  for (const { end, isDouble, page, voteId, option } of world.pages) {
    if (end !== 'duplicate') continue;
    if (!isDouble) say('I9', `page ${page} chose once and was told of another choice`);
    const others = [...(written.get(voteId) ?? [])].filter(
      (optionNo) => world.plan.optionIds[optionNo] !== option,
    );
    if (others.length === 0) say('I1', `page ${page} was told of a vote that lies nowhere`);
  }
}

/** Codes that a page may always meet. */
const passing = new Set(['overloaded', 'not_ready']);

/** I12: nobody is turned away without a cause, and in every run some votes are taken. */
function checkTurnedAway(world: World, say: Say): void {
  const sent = new Map<string, number>();
  let taken = 0;
  for (const { voteId, region, page, ending, endedMs } of world.history) {
    const key = `${voteId} ${region}`;
    sent.set(key, (sent.get(key) ?? 0) + 1);
    if (ending?.how === 'ok') taken++;
    if (ending?.how !== 'refused' || passing.has(ending.code)) continue;
    const isCause = {
      rate_limit_exceeded: world.region(region).isTight || sent.get(key)! > 10,
      session_closed: endedMs > world.plan.closesMs - 100 || world.isClockSet,
      duplicate_vote: world.pages[page]!.isDouble,
      vote_in_progress: world.pages[page]!.isDouble,
    }[ending.code];
    if (isCause !== true) say('I12', `page ${page} was turned away by ${ending.code}`);
  }
  for (const { wrong, got } of world.strangers) {
    // An intake that was stopped may have come to it after closing.
    const isPassing = passing.has(got) || got === 'session_closed';
    if (got === wrong || got === 'no answer' || isPassing) continue;
    say('I4', `what had to be refused as ${wrong} ended as ${got}`);
  }
  const isWhole = world.regions.every(({ isGone }) => !isGone);
  if (isWhole && taken < 3) say('I12', `${taken} votes were taken`);
}

function choiceOf(world: World, { voteId, option }: Attempt): string {
  return `${voteId} ${world.plan.optionIds.indexOf(option)}`;
}

/** I5: each record of a log that was read has one verdict. */
function checkBalance(world: World, say: Say): void {
  const { state } = world;
  const judged = new Map<number, number>();
  for (const [key, row] of state.verdicts) {
    const [, logNo, partition] = key.split(':').map(Number);
    const place = logNo! * 1000 + partition!;
    const { counted, duplicate, replayed, late, quarantined, control } = row;
    const sum = counted + duplicate + replayed + late + quarantined + control;
    judged.set(place, (judged.get(place) ?? 0) + sum);
  }
  for (const [place, { next }] of state.offsets) {
    const sum = judged.get(place) ?? 0;
    if (sum !== next) say('I5', `place ${place}: ${next} offsets, ${sum} verdicts`);
  }
}

/** I7: what is shown never goes back; a reader passes over what is older than what it has. */
function checkTotals(world: World, say: Say): void {
  for (const { name, totals, isGone } of world.regions) {
    let held: TotalsMessage | undefined;
    for (const { value } of totals.messages) {
      const message = decodeTotalsMessage(value)!;
      if (held !== undefined && message.sequence <= held.sequence) continue;
      if (held !== undefined && !coversAtLeast(message.covers, comparable(world, held.covers))) {
        say('I7', `${name}: totals went back`);
      }
      held = message;
    }
    checkFalls(name, totals.messages, say);
    const counted = world.state.votes.get(1)?.size ?? 0;
    if (!isGone && held !== undefined && held.total_votes !== counted) {
      say('I3', `${name}: ${held.total_votes} published, ${counted} count`);
    }
  }
}

/** I7: of what readers take one after another, no count falls but by a correction that is listed. */
function checkFalls(name: string, messages: readonly { value: Buffer }[], say: Say): void {
  let held: TotalsMessage | undefined;
  for (const { value } of messages) {
    const next = decodeTotalsMessage(value)!;
    if (!isNewerTotals(next, held)) continue;
    const told = (held?.corrected ?? []).map((one) => JSON.stringify(one));
    const listed = (next.corrected ?? []).filter((one) => !told.includes(JSON.stringify(one)));
    const moved = listed.reduce((sum, one) => sum + one.moved, 0);
    let fallen = 0;
    for (const [optionNo, count] of (held?.counts ?? []).entries()) {
      fallen += Math.max(0, count - (next.counts?.[optionNo] ?? 0));
    }
    if (fallen > moved) say('I7', `${name}: counts fell by ${fallen}, ${moved} is listed`);
    held = next;
  }
}

/** A region that was lost may stay behind what was told of it before. */
function comparable(world: World, covers: Covers): Covers {
  const lost = world.regions.filter(({ logNo }) => world.state.logs.get(logNo)!.isLost);
  return Object.fromEntries(
    Object.entries(covers).filter(([log]) => !lost.some(({ name }) => name === log)),
  );
}

/** I10, I12: all was read, sealed, settled and made final without a hand; nothing is held. */
function checkEnd(world: World, say: Say): void {
  const { sealedAtMs, final } = world.state.sessions.get(sessionId)!;
  if (sealedAtMs === null || final === null) say('I10', 'the session is not sealed and final');
  for (const region of world.regions.filter(({ isGone }) => !isGone)) {
    const { name } = region;
    for (const [logNo, { partitions }] of world.liveTopics(region)) {
      for (const [at, { records }] of partitions.entries()) {
        const next = world.state.offsets.get(logNo * 1000 + at)?.next ?? 0;
        if (next !== records.length) say('I10', `log ${logNo}/${at}: ${next} of ${records.length}`);
      }
    }
    for (const { process, queue, takenBeyond } of world.intakes.get(name)!) {
      if (takenBeyond > 0) say('I8', `${process.name} took votes by a clock that was set`);
      if (!process.isDead && queue.held !== 0) say('I12', `${process.name} holds ${queue.held}`);
    }
    for (const { stoppedBy, trouble, process } of world.ledgers.get(name)!) {
      // One that was away last may not have asked again yet.
      const isStuck = /refused|stopped/.test(trouble ?? '');
      if (!process.isDead && isStuck) say('I10', `${process.name}: ${trouble}`);
      if (stoppedBy !== undefined) say('I10', `${process.name} stopped: ${stoppedBy.message}`);
    }
  }
}
