import { type Receipt, verifyReceipt } from '#common/contracts/receipt.ts';
import { decodeTotalsMessage, type TotalsMessage } from '#common/contracts/vote-aggregated.ts';
import { decodeVoteRecord, sessionOfKey } from '#common/contracts/vote-submitted.ts';
import type { Attempt } from '../crowd/history.ts';
import type { Lab } from '../lab/lab.ts';
import type { Region } from '../lab/region.ts';
import type { Evidence, VoteInLog } from './evidence.ts';
import { readBooks } from './read-books.ts';
import { type RawRecord, readLog } from './read-log.ts';

/** Log name → where a scenario's records begin, per partition. */
export type LogStarts = ReadonlyMap<string, readonly number[]>;

/** A topic that holds votes, and the name by which Postgres knows it. */
export interface VoteLogName {
  readonly log: string;
  readonly topic: string;
  readonly region: Region;
}

/** Every log of the lab: the regions' own, and the copies that one hosts for the other. */
export function voteLogs(lab: Lab): VoteLogName[] {
  return lab.regions.flatMap((region) => {
    const own = { log: region.name, topic: 'vote-submitted', region };
    const other = lab.regions.find((one) => one !== region);
    if (other === undefined) return [own];
    return [own, { log: `${other.name}@${region.name}`, topic: 'vote-standby', region }];
  });
}

/** The logs that the ledger reads to their ends: of a lost region the copies, of others their own. */
export async function liveLogs(lab: Lab): Promise<VoteLogName[]> {
  const rows = await lab.postgres.run<{ region: string }>(
    'SELECT region FROM votes.regions WHERE lost_at IS NOT NULL',
  );
  const lost = new Set(rows.map(({ region }) => region));
  return voteLogs(lab).filter(({ log, region }) => {
    if (region.isDestroyed) return false;
    const [own, host] = log.split('@');
    return host === undefined ? !lost.has(log) : lost.has(own!);
  });
}

/** Collects all that the checker judges by, of the regions that are not destroyed. */
export async function gather(
  lab: Lab,
  sessionId: string,
  attempts: readonly Attempt[],
  starts: LogStarts,
): Promise<Evidence> {
  const records: VoteInLog[] = [];
  const bounds = new Map<string, { starts: readonly number[]; ends: readonly number[] }>();
  for (const { log, topic, region } of voteLogs(lab)) {
    if (region.isDestroyed) continue;
    const read = await readLog(region.kafka.addresses, topic, starts.get(log));
    bounds.set(log, read);
    // One by one: as arguments of one call, 120,000 would be too many.
    for (const record of read.records) {
      for (const vote of voteIn(log, record, sessionId)) records.push(vote);
    }
  }
  const books = await readBooks(lab.postgres, sessionId);
  const published = new Map<string, TotalsMessage[]>();
  for (const { name, kafka, isDestroyed } of lab.regions) {
    if (isDestroyed) continue;
    const read = await readLog(kafka.addresses, 'vote-aggregated');
    published.set(
      name,
      read.records.flatMap(({ value }) => totalsOf(value, sessionId)),
    );
  }
  return {
    ...books,
    attempts,
    records,
    published,
    receipts: readReceipts(lab, attempts),
    books: books.partitions.map((book) => ({
      ...book,
      logStart: bounds.get(book.log)?.starts[book.partition],
      logEnd: bounds.get(book.log)?.ends[book.partition],
    })),
  };
}

function voteIn(
  log: string,
  { partition, offset, key, value }: RawRecord,
  sessionId: string,
): VoteInLog[] {
  if (sessionOfKey(key) !== sessionId) return [];
  const record = decodeVoteRecord(key, value);
  if (!('ballot' in record)) return [];
  const { ballot, optionNo, acceptedAtMs } = record;
  return [{ log, partition, offset, voteId: ballot.vote_id, optionNo, acceptedAtMs }];
}

function totalsOf(value: Buffer | null, sessionId: string): TotalsMessage[] {
  const message = decodeTotalsMessage(value);
  return message?.session_id === sessionId ? [message] : [];
}

function readReceipts(lab: Lab, attempts: readonly Attempt[]): Map<string, Receipt | undefined> {
  const receipts = new Map<string, Receipt | undefined>();
  for (const { answer } of attempts) {
    if (answer === undefined || receipts.has(answer.receipt)) continue;
    receipts.set(answer.receipt, verifyReceipt(answer.receipt, lab.keys.receipts));
  }
  return receipts;
}
