import { MINUTE_MS } from '#common/clock.ts';
import { bucketOf } from '#common/contracts/digest.ts';
import { topicName } from '#common/contracts/topics.ts';
import { voteRecordKey } from '#common/contracts/vote-submitted.ts';
import type { Log } from '#common/log.ts';
import type { LogRecord } from '#common/log-reader.ts';
import { mayHaveDropped, readBounds } from '../count-log.ts';
import { readSpans, readSpansShuffled, type Span, type TopicToRead } from './read-spans.ts';
import { admissibleVote, type Candidate, isBefore, type RecordRules } from './record-rules.ts';
import { shuffled } from './shuffle.ts';
import type { RecountedLog } from './sql/read-logs.ts';
import type { RecountedSession } from './sql/read-session.ts';

/** Where the logs of a stack are. */
export interface LogStores {
  /** Every region's broker, `host:port`. */
  readonly regions: readonly { readonly name: string; readonly kafka: string }[];
  readonly topicPrefix: string;
}

/** A log that was read once, to find out what of it counts. */
export interface SurveyedLog {
  readonly log: RecountedLog;
  readonly topic: TopicToRead;
  /** Up to the session's first valid seal, or to the log's end where there is none yet. */
  readonly spans: readonly Span[];
  /** By partition, where the first valid seal lies; undefined where there is none. */
  readonly seals: readonly (number | undefined)[];
  /** Of the session, within the spans. */
  readonly records: number;
  /** Within the spans, and behind what the ledger had read. */
  readonly unread: number;
}

/** Is this record of the session a valid seal of this log's partition? */
export type IsSeal = (record: LogRecord, place: { log: string; partition: number }) => boolean;

/** Clocks of brokers and producers differ by less than this. */
const openingMarginMs = MINUTE_MS;

/** The topic that a log lies in. Throws an Error when its host is not part of the stack. */
export function topicOf(stores: LogStores, log: string, output: Log): TopicToRead {
  const [region, host = region] = log.split('@');
  const found = stores.regions.find(({ name }) => name === host);
  if (found === undefined) throw new Error(`${host} does not run here, and its log is needed.`);
  const name = host === region ? 'vote-submitted' : 'vote-standby';
  const topic = topicName(stores.topicPrefix, name);
  return { brokers: [found.kafka], clientId: 'recount', topic, log: output };
}

/**
 * Reads a log once and finds the session's seals and how many records it has. Throws an Error when
 * the log may have dropped some of them.
 */
export async function surveyLog(
  topic: TopicToRead,
  log: RecountedLog,
  session: RecountedSession,
  isSeal: IsSeal,
): Promise<SurveyedLog> {
  const bounds = await readBounds(topic, session.opens_at.getTime() - openingMarginMs);
  const openedAgoMs = Date.now() - session.opens_at.getTime();
  if (bounds.some((partition) => mayHaveDropped(partition, openedAgoMs))) {
    throw new Error(`${log.log} may have dropped records of this session: it cannot be recounted.`);
  }
  const whole = bounds.map(
    ({ end, sinceOpening }, partition): Span => ({
      partition,
      from: sinceOpening < 0 ? end : sinceOpening,
      to: end,
    }),
  );
  const key = voteRecordKey(session.session_id);
  const seals: (number | undefined)[] = bounds.map(() => undefined);
  let found = 0;
  let unread = 0;
  await readSpans(topic, whole, (partition, records) => {
    for (const record of records) {
      if (seals[partition] !== undefined || !record.key?.equals(key)) continue;
      if (isSeal(record, { log: log.log, partition })) seals[partition] = record.offset;
      found++;
      if (record.offset >= (log.offsets[partition] ?? 0)) unread++;
    }
  });
  const spans = whole.map((span) => ({ ...span, to: seals[span.partition] ?? span.to }));
  return { log, topic, spans, seals, records: found, unread };
}

/** The part of the vote ids that a pass is about, in buckets: `from` up to, and without, `to`. */
export interface BucketRange {
  readonly from: number;
  readonly to: number;
}

/** A vote that wins so far. `isMet`: the rows have it, too. */
export interface Winner extends Candidate {
  isMet: boolean;
}

export interface Count {
  /** By vote id. */
  readonly winners: Map<string, Winner>;
  /** Admissible, and yet the ledger put them aside. */
  asideThoughAdmissible: number;
}

/** Lets a vote win its voter's place, if it comes first by the rule. */
export function offer(
  winners: Map<string, Winner>,
  voteId: string,
  vote: Candidate,
  optionIds: readonly Buffer[],
): void {
  const held = winners.get(voteId);
  if (held !== undefined && !isBefore(vote, held, optionIds)) return;
  winners.set(voteId, { optionNo: vote.optionNo, acceptedAtMs: vote.acceptedAtMs, isMet: false });
}

export interface CountRules extends RecordRules {
  readonly sessionId: string;
  readonly optionIds: readonly Buffer[];
  /** `region_no/partition/offset` of records that were quarantined. */
  readonly quarantined: ReadonlySet<string>;
}

/**
 * Counts the votes of a range from the logs alone. With `random`, in an order that it chooses: the
 * result must not depend on it.
 */
export async function countLogs(
  logs: readonly SurveyedLog[],
  range: BucketRange,
  rules: CountRules,
  random: (() => number) | undefined,
): Promise<Count> {
  const count: Count = { winners: new Map(), asideThoughAdmissible: 0 };
  const key = voteRecordKey(rules.sessionId);
  const isWanted = ({ key: own, value }: LogRecord): boolean => {
    if (!own?.equals(key) || value === null || value.length < 17) return false;
    const bucket = bucketOf(value.subarray(1));
    return bucket >= range.from && bucket < range.to;
  };
  const countOne = async (record: LogRecord, place: string): Promise<void> => {
    const vote = await admissibleVote(record, rules);
    if (vote === undefined) return;
    if (rules.quarantined.has(place)) count.asideThoughAdmissible++;
    else offer(count.winners, vote.ballot.vote_id, vote, rules.optionIds);
  };
  const countIn = async ({ log, topic, spans }: SurveyedLog): Promise<void> => {
    const onRecords = async (partition: number, records: readonly LogRecord[]): Promise<void> => {
      const wanted = records.filter(isWanted);
      await Promise.all(
        wanted.map((record) => countOne(record, `${log.region_no}/${partition}/${record.offset}`)),
      );
    };
    if (random === undefined) await readSpans(topic, spans, onRecords);
    else await readSpansShuffled(topic, spans, random, onRecords);
  };
  if (random === undefined) await Promise.all(logs.map(countIn));
  else for (const log of shuffled(logs, random)) await countIn(log);
  return count;
}
