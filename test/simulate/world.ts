import type { Ballot } from '#common/contracts/ballot-token.ts';
import { encodeSessionsMessage } from '#common/contracts/session.ts';
import { decodeTotalsMessage } from '#common/contracts/vote-aggregated.ts';
import { encodeVoteRecord, voteRecordKey } from '#common/contracts/vote-submitted.ts';
import { ServiceError } from '#common/errors.ts';
import { uuidV8 } from '#common/uuid.ts';
import type { Accepted, Submitted } from '../../regional-core/intake/submit-vote.ts';
import { Coverage } from './coverage.ts';
import type { FlawName } from './flaws.ts';
import type { Attempt, PageEnd } from './history.ts';
import { IntakeProcess } from './intake-process.ts';
import { LedgerProcess } from './ledger-process.ts';
import { MemoryRedis } from './memory-claims.ts';
import { MemoryTopic } from './memory-kafka.ts';
import { MessageTopic } from './message-topic.ts';
import { type Database, DatabaseAddress } from './model/database.ts';
import { declareLost } from './model/lease.ts';
import { type State, unread } from './model/state.ts';
import { sessionMessage } from './model/totals.ts';
import { Network } from './network.ts';
import { makePlan, type Plan, type PlannedStranger, regionNames } from './plan.ts';
import { PublisherProcess } from './publisher-process.ts';
import { Random } from './random.ts';
import type { Region } from './region.ts';
import { ballotKid, ballotToken } from './stand-ins.ts';
import { epochMs, type Process, Timeline } from './timeline.ts';
import { Trace } from './trace.ts';
import { openPage } from './voter-page.ts';

export const sessionId = uuidV8(Buffer.alloc(16, 7));
const partitions = 3;
const brokers = 3;

/** A run's whole world: two regions, one database, the people, and nothing that is not virtual. */
export class World {
  readonly random: Random;
  readonly timeline = new Timeline();
  readonly trace: Trace;
  readonly network: Network;
  readonly plan: Plan;
  readonly regions: readonly Region[];
  readonly address = new DatabaseAddress();
  readonly history: Attempt[] = [];
  readonly pages: PageEnd[] = [];
  /** How requests ended that had to be refused, and as what. */
  readonly strangers: { readonly wrong: string; readonly got: string }[] = [];
  readonly intakes = new Map<string, IntakeProcess[]>();
  readonly ledgers = new Map<string, LedgerProcess[]>();
  readonly publishers = new Map<string, PublisherProcess[]>();
  readonly flaw: FlawName | undefined;
  /** Of the database's clock, ms. */
  readonly databaseOffsetMs: number;
  /** Somebody set an intake's clock. */
  isClockSet = false;
  #made = 0;
  /** A replica was chosen, and the address does not lead to it yet. */
  #isMoving = false;

  constructor(
    seed: number,
    options: { coverage?: Coverage; keepTrace?: boolean; flaw?: FlawName | undefined },
  ) {
    const root = new Random(seed);
    this.random = new Random(root.bits());
    this.plan = makePlan(new Random(root.bits()));
    this.databaseOffsetMs = this.random.whole(-15, 15);
    this.trace = new Trace(options.keepTrace ?? false);
    this.flaw = options.flaw;
    this.network = new Network({
      timeline: this.timeline,
      random: new Random(root.bits()),
      coverage: options.coverage ?? new Coverage(),
      trace: this.trace,
      kill: (process) => this.kill(process),
    });
    this.regions = regionNames.map((name, at) => this.#makeRegion(name, at));
    this.#install();
    for (const region of this.regions) {
      this.#startRegion(region);
      region.totals.follow(({ value }) => this.#hear(region, decodeTotalsMessage(value)?.epoch));
    }
    for (const planned of this.plan.pages) this.#schedulePage(planned);
    for (const planned of this.plan.strangers) this.#scheduleStranger(planned);
  }

  get state(): State {
    return this.address.writer.state;
  }

  region(name: string): Region {
    return this.regions.find((region) => region.name === name)!;
  }

  /** What the region's ledgers read: its own log, and the copies of a region that was lost. */
  liveTopics(region: Region): (readonly [logNo: number, topic: MemoryTopic])[] {
    const isOtherLost = this.state.logs.get(this.otherThan(region).logNo)!.isLost;
    const own = [region.logNo, region.votes] as const;
    return isOtherLost ? [own, [region.standbyNo, region.standby]] : [own];
  }

  otherThan(region: Region): Region {
    return this.regions.find((other) => other !== region)!;
  }

  /** The process dies; another takes its place after a while. */
  kill(process: Process): void {
    if (process.isDead) return;
    this.trace.add(this.timeline.nowMs, process.name, 'dies', '');
    process.die();
    const awayMs = this.random.whole(200, 2500);
    for (const region of this.regions) {
      const intakes = this.intakes.get(region.name)!;
      const intakeAt = intakes.findIndex((intake) => intake.process === process);
      if (intakeAt >= 0) this.timeline.after(awayMs, () => this.startIntake(region, intakeAt));
      const ledgers = this.ledgers.get(region.name)!;
      const ledgerAt = ledgers.findIndex((ledger) => ledger.process === process);
      if (ledgerAt >= 0) this.timeline.after(awayMs, () => this.startLedger(region, ledgerAt));
      const isPublisher = this.publishers.get(region.name)?.[0]?.process === process;
      if (isPublisher) this.timeline.after(awayMs, () => this.startPublisher(region));
    }
  }

  startIntake(region: Region, at: number): void {
    if (region.isGone) return;
    const clock = { offsetMs: this.random.whole(-15, 15), driftPpm: this.random.whole(-50, 50) };
    const choice = this.plan.standby;
    const standby = choice && { in: this.otherThan(region), choice };
    const parts = { ...this.#parts(region), random: new Random(this.random.bits()), standby };
    const intake = new IntakeProcess(parts, `intake ${region.name} ${this.#made++}`, clock);
    this.intakes.get(region.name)![at] = intake;
  }

  startLedger(region: Region, at: number): void {
    if (region.isGone) return;
    const parts = {
      ...this.#parts(region),
      random: new Random(this.random.bits()),
      address: this.address,
      wallMs: () => this.wallMs(),
      flaw: this.flaw,
      standbyOf: this.otherThan(region).name,
      offsetMs: this.random.whole(-15, 15),
    };
    const ledger = new LedgerProcess(parts, `ledger ${region.name} ${this.#made++}`);
    this.ledgers.get(region.name)![at] = ledger;
  }

  startPublisher(region: Region): void {
    if (region.isGone) return;
    const parts = { ...this.#parts(region), address: this.address };
    const name = `publisher ${region.name} ${this.#made++}`;
    this.publishers.set(region.name, [new PublisherProcess(parts, name)]);
  }

  /**
   * The writer's address moves to a replica that has not had the last commits. The one before it is
   * gone, a standby, or goes on writing for a while.
   */
  failOver(how: {
    lost: number;
    awayMs: number;
    isRaised: boolean;
    oldMode: Database['mode'];
    zombieMs: number;
  }): void {
    const old = this.address.writer;
    if (how.oldMode !== 'writer') old.mode = how.oldMode;
    const replica = old.promoteReplica(how.lost);
    const lost = old.commits - replica.commits;
    this.trace.add(this.timeline.nowMs, 'database', `fails over, ${lost} commits lost`, old.mode);
    this.#isMoving = true;
    this.timeline.after(how.awayMs, () => {
      this.address.writer = replica;
      this.#isMoving = false;
      if (how.isRaised) {
        replica.write((state) => {
          state.epoch++;
        }, this.wallMs());
      }
    });
    this.timeline.after(Math.max(how.awayMs, how.zombieMs - this.timeline.nowMs), () => {
      old.mode = 'gone';
    });
  }

  /**
   * A region is destroyed with everything that lies in it. Two people look, and declare it lost:
   * that is answered only when every copy of the database has it.
   */
  destroy(region: Region, declaredAfterMs: number): void {
    if (this.regions.some(({ isGone }) => isGone)) return;
    const { nowMs } = this.timeline;
    this.trace.add(nowMs, region.name, 'is destroyed', '');
    region.isGone = true;
    for (const kind of [this.intakes, this.ledgers, this.publishers]) {
      for (const { process } of kind.get(region.name)!) process.die();
    }
    const other = this.otherThan(region).name;
    for (const route of ['edge', 'kafka', 'redis'].map((to) => `${region.name}:${to}`)) {
      this.network.cutRoute(route, Number.POSITIVE_INFINITY);
    }
    this.network.cutRoute(`${other}:standby`, Number.POSITIVE_INFINITY);
    this.timeline.after(declaredAfterMs, () => this.#declareLost(region));
  }

  #declareLost(region: Region): void {
    const { writer } = this.address;
    // Without a copy that has it there is no answer, and people ask again.
    if (writer.mode !== 'writer' || this.#isMoving) {
      this.timeline.after(500, () => this.#declareLost(region));
      return;
    }
    writer.write((state) => declareLost(state, region.logNo), this.wallMs());
    writer.keep();
  }

  /** Records that a hacked intake or an operator's mistake put into the log. */
  poison(region: Region, partition: number, random: Random): void {
    const key = random.chance(0.8) ? voteRecordKey(sessionId) : random.bytes(5);
    const value = encodeVoteRecord({
      ballot: ballotOf(random.whole(0, this.plan.voters - 1), 99),
      sessionVersion: 1,
      optionNo: random.whole(0, 9),
      acceptedAtMs: epochMs + Math.floor(this.timeline.nowMs),
      kid: ballotKid,
      signature: random.bytes(64),
    });
    const kind = random.whole(0, 2);
    const bytes = kind === 0 ? value : kind === 1 ? random.bytes(125) : random.bytes(9);
    region.votes.partitions[partition]!.write([{ key, value: bytes }], this.timeline.nowMs);
  }

  /** All is well again, everybody has gone home, and everything was read. */
  isDone(): boolean {
    if (this.timeline.nowMs < this.plan.healedMs) return false;
    const { sealedAtMs, final } = this.state.sessions.get(sessionId)!;
    if (sealedAtMs === null || final === null) return false;
    if (this.pages.some(({ end }) => end === undefined)) return false;
    return this.regions.every((region) => this.#isCaughtUp(region));
  }

  #hear(region: Region, epoch: number | undefined): void {
    const told = (): void => {
      region.epochTold = Math.max(region.epochTold, epoch ?? 0);
    };
    this.timeline.after(300, told);
  }

  #isCaughtUp(region: Region): boolean {
    const { name, isGone, totals } = region;
    if (isGone) return true;
    const isRead = this.liveTopics(region).every(([logNo, { partitions: all }]) =>
      all.every(
        ({ records }, at) => this.state.offsets.get(logNo * 1000 + at)?.next === records.length,
      ),
    );
    const isIdle = this.intakes.get(name)!.every(({ queue }) => queue.held === 0);
    const last = decodeTotalsMessage(totals.messages.at(-1)?.value);
    const counted = this.state.votes.get(1)?.size ?? 0;
    const hasPublisher = this.publishers.get(name)!.length > 0;
    return isRead && isIdle && (!hasPublisher || last?.total_votes === counted);
  }

  /** The database's wall clock. */
  wallMs(): number {
    return Math.floor(epochMs + this.timeline.nowMs + this.databaseOffsetMs);
  }

  #parts(region: Region): { timeline: Timeline; network: Network; region: Region } {
    return { timeline: this.timeline, network: this.network, region };
  }

  #makeRegion(name: string, at: number): Region {
    const { timeline, random } = this;
    const isTight = random.chance(0.2);
    const region: Region = {
      name,
      logNo: at + 1,
      standbyNo: at + 11,
      votes: new MemoryTopic(timeline, 'vote-submitted', partitions, brokers),
      standby: new MemoryTopic(timeline, 'vote-standby', partitions, brokers),
      sessions: new MessageTopic(timeline),
      totals: new MessageTopic(timeline),
      redis: new MemoryRedis(timeline, isTight ? random.whole(2, 5) : 1000),
      isTight,
      epochTold: 0,
      isGone: false,
    };
    if (this.flaw === 'acks-one') region.votes.unreplicatedMs = 100;
    return region;
  }

  /** What stands in the stores before voting begins. */
  #install(): void {
    const { optionIds } = this.plan;
    const [opensAtMs, closesAtMs] = [epochMs - 60_000, epochMs + this.plan.closesMs];
    this.address.writer.write((state) => {
      const session = { no: 1, id: sessionId, version: 1, optionIds, opensAtMs, closesAtMs };
      state.sessions.set(sessionId, { ...session, sealedAtMs: null, final: null });
      for (const [at, name] of regionNames.entries()) {
        const no = at + 1;
        const other = 2 - at;
        state.logs.set(no, { ...unread, no, name, standsFor: undefined, host: no });
        const standby = { no: no + 10, name: `${regionNames[other - 1]}@${name}`, host: no };
        state.logs.set(no + 10, { ...unread, ...standby, standsFor: other });
      }
    }, this.wallMs());
    const message = sessionMessage(this.state.sessions.get(sessionId)!, 1);
    const value = encodeSessionsMessage(message);
    this.address.writer.keep();
    for (const { sessions } of this.regions) sessions.write([{ key: 'session', value }]);
  }

  #startRegion(region: Region): void {
    this.intakes.set(region.name, []);
    this.ledgers.set(region.name, []);
    for (let at = 0; at < 2; at++) this.startIntake(region, at);
    const workers = this.random.whole(1, 2);
    for (let at = 0; at < workers; at++) this.startLedger(region, at);
    // Most of a run's steps are a publisher's: not every run needs two.
    if (this.random.chance(0.3)) this.startPublisher(region);
    else this.publishers.set(region.name, []);
  }

  #schedulePage(planned: Plan['pages'][number]): void {
    const voteId = voteIdOf(planned.voter);
    const option = this.plan.optionIds[planned.optionNo]!;
    const { isDouble, regions } = planned;
    const page: PageEnd = { voteId, page: planned.page, option, isDouble, end: undefined };
    this.pages.push(page);
    const { timeline, network, history } = this;
    const random = new Random(this.random.bits());
    const submitted = submittedBy(planned.voter, option, planned.address, planned.page);
    const submitTo = (region: string, what: Submitted): Promise<Accepted> =>
      random.pick(this.intakes.get(region)!).submit(what);
    const untilMs = this.plan.closesMs + 12_000;
    timeline.after(planned.startMs, () =>
      openPage({
        timeline,
        network,
        history,
        random,
        regions,
        submitted,
        page,
        submitTo,
        untilMs,
      }),
    );
  }

  #scheduleStranger({ atMs, region, wrong }: PlannedStranger): void {
    const submitted = submittedBy(0, 'mango', '198.51.100.1', 0);
    const { vote } = submitted;
    const changes: Record<typeof wrong, Partial<Submitted>> = {
      invalid_token: { token: 'nonsense' },
      invalid_ballot: { vote: { ...vote, sessionId: uuidV8(Buffer.alloc(16, 9)) } },
      unknown_option: { vote: { ...vote, optionId: 'papaya' } },
    };
    this.timeline.after(atMs, () => {
      const intake = this.random.pick(this.intakes.get(region)!);
      intake.submit({ ...submitted, ...changes[wrong] }).then(
        () => this.strangers.push({ wrong, got: 'accepted' }),
        (error: unknown) => {
          const got = error instanceof ServiceError ? error.code : 'no answer';
          this.strangers.push({ wrong, got });
        },
      );
    });
  }
}

/** Vote ids in no order, the same in every run. */
export function voteIdOf(voter: number): string {
  const bytes = Buffer.alloc(16);
  for (let at = 0; at < 16; at += 4) {
    bytes.writeUInt32BE(Math.imul(voter + 1, 2654435761 + at * 97) >>> 0, at);
  }
  return uuidV8(bytes);
}

function ballotOf(voter: number, opening: number): Ballot {
  return {
    vote_id: voteIdOf(voter),
    session_id: sessionId,
    jti: Buffer.alloc(16, opening).toString('base64url'),
    exp: Math.floor(epochMs / 1000) + 3600,
    acr: 'code',
    challenge: 'not_asked',
  };
}

function submittedBy(voter: number, optionId: string, address: string, page: number): Submitted {
  return {
    token: ballotToken(ballotOf(voter, page)),
    address,
    idempotencyKey: `key-of-page-${page}`,
    vote: { sessionId, optionId },
  };
}
