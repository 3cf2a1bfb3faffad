import type { PoolClient } from 'pg';
import { digestBuckets, ResultDigest } from '#common/contracts/digest.ts';
import { decodeStatement, verifyStatement } from '#common/contracts/final.ts';
import { sealingRegion } from '#common/contracts/seal.ts';
import type { PublicKeys } from '#common/keys.ts';
import { createLog } from '#common/log.ts';
import { createPool } from '#common/postgres.ts';
import { uuidToBytes } from '#common/uuid.ts';
import {
  readApprovalKeys,
  readBallotKeys,
  readSealKeys,
} from '../../../regional-core/ledger/sql/read-keys.ts';
import { compareRow, compareSeals, compareTotals, Differences } from './differences.ts';
import { sealJudge } from './seal-judge.ts';
import { seededRandom } from './shuffle.ts';
import { readFrozen } from './sql/read-frozen.ts';
import { type RecountedLog, readLogs } from './sql/read-logs.ts';
import { readQuarantined } from './sql/read-quarantined.ts';
import { readRows, type VoteRange } from './sql/read-rows.ts';
import { readSeals } from './sql/read-seals.ts';
import { type RecountedSession, readSession } from './sql/read-session.ts';
import { readTallies } from './sql/read-tallies.ts';
import { readVoids } from './sql/read-voids.ts';
import {
  type BucketRange,
  type Count,
  type CountRules,
  countLogs,
  type LogStores,
  offer,
  type SurveyedLog,
  surveyLog,
  topicOf,
} from './survey-logs.ts';

export const recountSources = ['rows', 'tallies', 'kafka'] as const;
export type RecountSource = (typeof recountSources)[number];

/** Where the stores of a stack are. */
export interface RecountStores extends LogStores {
  /** URL of a role that reads the schema votes. */
  readonly postgres: string;
}

export interface RecountOptions {
  readonly sources: readonly RecountSource[];
  /** Reads the logs in an order made of this seed; undefined: as they come. */
  readonly seed?: number | undefined;
  /** Records read of the logs into one pass; more are several passes. Default 1,000,000. */
  readonly recordsAPassMax?: number;
  /** Records put aside whose places are held in memory at once. Default 2,000,000. */
  readonly quarantinedMax?: number;
}

export interface SourceResult {
  /** By option number. */
  readonly counts: readonly number[];
  readonly total: number;
  /** Hex; see `digest.ts`. */
  readonly digest: string;
}

/** A recount of a session, source by source; those not asked for are undefined. */
export interface Recount {
  readonly session: RecountedSession;
  /** Voting goes on, or a partition is not sealed yet, or the ledger has not settled it. */
  readonly isProvisional: boolean;
  /** Log → next offset per partition that the ledger had read. */
  readonly covers: Readonly<Record<string, readonly number[]>>;
  readonly rows: SourceResult | undefined;
  readonly tallies: Omit<SourceResult, 'digest'> | undefined;
  readonly kafka: SourceResult | undefined;
  /** Sentences about what was read from where. */
  readonly notes: readonly string[];
  /** A sentence for each thing in which the sources differ; at most 20, and how many more. */
  readonly differences: readonly string[];
}

const recordsAPassMaxByDefault = 1_000_000;
const quarantinedMaxByDefault = 2_000_000;

/**
 * Counts a session again from its sources and compares them. Postgres is read in one snapshot that
 * is held until the end. Throws an Error with one sentence when a source cannot be read whole.
 */
export async function recountSession(
  stores: RecountStores,
  sessionId: string,
  options: RecountOptions,
): Promise<Recount> {
  const log = createLog({ service: 'recount' }, 'error', process.stderr);
  const applicationName = 'recount';
  const pool = createPool({ url: stores.postgres, applicationName, connectionsMax: 1, log });
  try {
    const client = await pool.connect();
    try {
      await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
      // Reading the logs takes longer than a transaction of a service may rest.
      await client.query('SET LOCAL idle_in_transaction_session_timeout = 0');
      await client.query('SET LOCAL statement_timeout = 0');
      const session = await readSession(client, sessionId);
      if (session === undefined) throw new Error(`There is no session ${sessionId}.`);
      return await new SessionRecount(client, stores, session, options).run(log);
    } finally {
      await client.query('ROLLBACK').catch(() => undefined);
      client.release();
    }
  } finally {
    await pool.end();
  }
}

/** One recount under way. */
class SessionRecount {
  readonly #client: PoolClient;
  readonly #stores: LogStores;
  readonly #session: RecountedSession;
  readonly #options: RecountOptions;
  readonly #notes: string[] = [];
  readonly #differences = new Differences();

  constructor(
    client: PoolClient,
    stores: LogStores,
    session: RecountedSession,
    options: RecountOptions,
  ) {
    this.#client = client;
    this.#stores = stores;
    this.#session = session;
    this.#options = options;
  }

  async run(output: ReturnType<typeof createLog>): Promise<Recount> {
    const { sources, recordsAPassMax = recordsAPassMaxByDefault } = this.#options;
    const all = await readLogs(this.#client, this.#session);
    // A region that was named and never wrote anything has no offsets, and need not run here.
    const logs = all.filter(({ offsets }) => offsets.length > 0);
    const surveyed = sources.includes('kafka') ? await this.#survey(logs, output) : [];
    const records = surveyed.reduce((sum, each) => sum + each.records, 0);
    const passes = Math.max(1, Math.ceil(records / recordsAPassMax));
    const rows = sources.includes('rows') ? new Adding(this.#session) : undefined;
    const kafka = sources.includes('kafka') ? new Adding(this.#session) : undefined;
    const rules = kafka && (await this.#rules());
    const frozen = logs.filter((each) => !each.is_live).map(({ region_no }) => region_no);
    for (let pass = 0; pass < passes; pass++) {
      const range = rangeOf(pass, passes);
      const count = rules && (await this.#countRange(surveyed, frozen, range, rules));
      await this.#readRange(range, rows, count);
      if (count !== undefined) kafka?.addAll(count, range);
    }
    await this.#compareSealsOf(surveyed);
    const tallies = await this.#tallies();
    const results = { rows: rows?.result(), tallies, kafka: kafka?.result() };
    const final = await this.#final();
    compareTotals({ ...results, final }, this.#session.option_ids, this.#differences);
    const isSealed = surveyed.every(({ seals }) => seals.every((seal) => seal !== undefined));
    return {
      session: this.#session,
      isProvisional: this.#session.sealed_at === null || !isSealed,
      covers: Object.fromEntries(logs.map(({ log, offsets }) => [log, offsets])),
      ...results,
      notes: this.#notes,
      differences: this.#differences.listed(),
    };
  }

  async #survey(
    logs: readonly RecountedLog[],
    output: ReturnType<typeof createLog>,
  ): Promise<SurveyedLog[]> {
    const keysOf = new Map<string, PublicKeys>();
    for (const region of new Set(logs.map(({ log }) => sealingRegion(log)))) {
      keysOf.set(region, await readSealKeys(this.#client, region));
    }
    const isSeal = sealJudge(this.#session, keysOf);
    const surveyed: SurveyedLog[] = [];
    for (const log of logs) {
      if (!log.is_live) {
        this.#notes.push(
          `${log.log} is not read any more: what the ledger had read of its log is taken from the ` +
            'rows, as it was counted then',
        );
        continue;
      }
      const topic = topicOf(this.#stores, log.log, output);
      const found = await surveyLog(topic, log, this.#session, isSeal);
      surveyed.push(found);
      const open = found.seals.filter((seal) => seal === undefined).length;
      if (open > 0) this.#notes.push(`${log.log} has no seal yet in ${open} partitions`);
      if (found.unread > 0) {
        this.#notes.push(`${found.unread} records of ${log.log} were not read by the ledger yet`);
      }
    }
    return surveyed;
  }

  async #rules(): Promise<CountRules> {
    const { session_id, option_ids, closes_at } = this.#session;
    const { quarantinedMax = quarantinedMaxByDefault } = this.#options;
    const aside = await readQuarantined(this.#client, session_id, quarantinedMax + 1);
    if (aside.length > quarantinedMax) {
      throw new Error(
        `More than ${quarantinedMax} records of this session are quarantined: ` +
          'its logs cannot be recounted here.',
      );
    }
    return {
      sessionId: session_id,
      ballotKeys: await readBallotKeys(this.#client),
      options: option_ids.length,
      optionIds: option_ids.map((id) => Buffer.from(id)),
      closesAtMs: closes_at.getTime(),
      quarantined: new Set(aside.map((at) => `${at.region_no}/${at.partition}/${at.offset}`)),
    };
  }

  async #countRange(
    logs: readonly SurveyedLog[],
    frozen: readonly number[],
    range: BucketRange,
    rules: CountRules,
  ): Promise<Count> {
    const { seed } = this.#options;
    const random = seed === undefined ? undefined : seededRandom(seed + range.from);
    const count = await countLogs(logs, range, rules, random);
    const { session_no } = this.#session;
    for (const row of await readFrozen(this.#client, session_no, frozen, votesOf(range))) {
      const vote = { optionNo: row.option_no, acceptedAtMs: row.accepted_at_ms };
      offer(count.winners, row.vote_id, vote, rules.optionIds);
    }
    for (const voteId of await readVoids(this.#client, session_no)) count.winners.delete(voteId);
    if (count.asideThoughAdmissible > 0) {
      this.#notes.push(
        `${count.asideThoughAdmissible} records were quarantined although this recount finds no ` +
          'fault in them; they are left out here, too',
      );
    }
    return count;
  }

  /** Adds the rows of a range, and holds them against the logs' count where there is one. */
  async #readRange(
    range: BucketRange,
    rows: Adding | undefined,
    count: Count | undefined,
  ): Promise<void> {
    if (rows === undefined) return;
    for await (const some of readRows(this.#client, this.#session.session_no, votesOf(range))) {
      for (const row of some) {
        rows.add(row.vote_id, row.option_no, row.accepted_at_ms);
        if (count !== undefined) compareRow(row, count.winners, this.#differences);
      }
    }
    for (const [voteId, { isMet }] of count?.winners ?? []) {
      if (!isMet) this.#differences.add(`vote ${voteId} lies in the logs and is not counted`);
    }
  }

  async #tallies(): Promise<Recount['tallies']> {
    if (!this.#options.sources.includes('tallies')) return undefined;
    const counts = await readTallies(this.#client, this.#session);
    return { counts, total: counts.reduce((sum, votes) => sum + votes, 0) };
  }

  /** What two people declared final, if they are two who may; it is held against what is found. */
  async #final(): Promise<{ counts: readonly number[]; digest: string } | undefined> {
    const { final_at, final_statement, session_id } = this.#session;
    if (final_at === null) return undefined;
    const statement = final_statement === null ? undefined : decodeStatement(final_statement);
    const approvals = await readApprovalKeys(this.#client);
    if (statement?.act.session_id !== session_id || !verifyStatement(statement, approvals).ok) {
      this.#differences.add('the final statement is not one that two people signed');
      return undefined;
    }
    return { counts: statement.act.counts, digest: statement.act.digest };
  }

  async #compareSealsOf(surveyed: readonly SurveyedLog[]): Promise<void> {
    const known = await readSeals(this.#client, this.#session.session_no);
    compareSeals(surveyed, known, this.#differences);
  }
}

/** A result that grows: counts and digest. Votes come in order of their bucket. */
class Adding {
  readonly #optionIds: readonly string[];
  readonly #counts: number[];
  readonly #digest = new ResultDigest();

  constructor({ option_ids }: RecountedSession) {
    this.#optionIds = option_ids;
    this.#counts = option_ids.map(() => 0);
  }

  add(voteId: string, optionNo: number, acceptedAtMs: number): void {
    const optionId = this.#optionIds[optionNo];
    if (optionId === undefined) throw new Error(`A vote counts for option ${optionNo}.`);
    const bytes = uuidToBytes(voteId);
    this.#digest.closeBelow(bytes.readUInt16BE(0));
    this.#digest.add({ voteId: bytes, optionId, acceptedAtMs });
    this.#counts[optionNo]!++;
  }

  addAll({ winners }: Count, range: BucketRange): void {
    for (const voteId of [...winners.keys()].toSorted()) {
      const { optionNo, acceptedAtMs } = winners.get(voteId)!;
      this.add(voteId, optionNo, acceptedAtMs);
    }
    this.#digest.closeBelow(range.to);
  }

  result(): SourceResult {
    return { counts: this.#counts, total: this.#digest.votes, digest: this.#digest.hex() };
  }
}

function rangeOf(pass: number, passes: number): BucketRange {
  const start = (at: number): number => Math.floor((at * digestBuckets) / passes);
  return { from: start(pass), to: start(pass + 1) };
}

function votesOf({ from, to }: BucketRange): VoteRange {
  const hex = (bucket: number): string => bucket.toString(16).padStart(4, '0');
  return { from: hex(from).padEnd(32, '0'), to: hex(to - 1).padEnd(32, 'f') };
}
