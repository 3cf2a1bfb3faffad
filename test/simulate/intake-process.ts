import { ClockJudge } from '#common/clock-judge.ts';
import { Claims } from '../../regional-core/intake/claims.ts';
import { ProduceQueue } from '../../regional-core/intake/produce-queue.ts';
import { voterBurst, voterRefillPerS } from '../../regional-core/intake/rate-limits.ts';
import { Sessions } from '../../regional-core/intake/sessions.ts';
import { type StandbyChoice, StandbyLog } from '../../regional-core/intake/standby-log.ts';
import {
  type Accepted,
  type SubmitParts,
  type Submitted,
  submitVote,
} from '../../regional-core/intake/submit-vote.ts';
import { SimulatedClaimStore } from './memory-claims.ts';
import { SimulatedVoteLog } from './memory-kafka.ts';
import type { Network } from './network.ts';
import type { Random } from './random.ts';
import type { Region } from './region.ts';
import { RoomProcess } from './room-process.ts';
import { silentLog, standInCrypto } from './stand-ins.ts';
import type { Timeline } from './timeline.ts';

/** How far a region's clocks are declared to be off at most, ms. */
export const clockErrorMs = 20;

/** One intake: the production code of its decisions, on the simulated stores of its region. */
export class IntakeProcess {
  readonly process: RoomProcess;
  readonly queue: ProduceQueue;
  readonly #parts: SubmitParts;
  /** Since when its clock is off by more than is declared; it must see that and refuse. */
  beyondSinceMs = Number.POSITIVE_INFINITY;
  /** Votes that it took all the same. */
  takenBeyond = 0;
  #isCaughtUp = false;

  constructor(
    parts: {
      timeline: Timeline;
      network: Network;
      random: Random;
      region: Region;
      /** Where copies go, when durability is two-regions. */
      standby?: { readonly in: Region; readonly choice: StandbyChoice } | undefined;
    },
    name: string,
    clock: { offsetMs: number; driftPpm: number },
  ) {
    const { timeline, network, random, region } = parts;
    this.process = new RoomProcess(timeline, network, 'intake', name);
    this.process.offsetMs = clock.offsetMs;
    this.process.driftPpm = clock.driftPpm;
    const judge = new ClockJudge(this.process, () => ({ ms: clockErrorMs }), false);
    const kafka = `${region.name}:kafka`;
    const observer = { attempted: () => undefined };
    const copies =
      parts.standby &&
      new StandbyLog({
        standby: new SimulatedVoteLog({
          topic: parts.standby.in.standby,
          network,
          process: this.process,
          route: `${region.name}:standby`,
          point: 'standby.append',
        }),
        observer,
        clock: this.process,
        log: silentLog,
        choice: parts.standby.choice,
        isSafe: () => true,
      });
    this.queue = new ProduceQueue({
      log: new SimulatedVoteLog({
        topic: region.votes,
        network,
        process: this.process,
        route: kafka,
        point: 'log.append',
      }),
      clock: this.process,
      durability: 'region',
      observer,
      standby: copies,
    });
    const crypto = standInCrypto(random);
    const sessions = new Sessions();
    const route = `${region.name}:redis`;
    this.#parts = {
      region: region.name,
      clockErrorMs: () => clockErrorMs,
      crypto,
      sessions,
      claims: new Claims({
        store: new SimulatedClaimStore({
          redis: region.redis,
          network,
          process: this.process,
          route,
        }),
        limits: {
          voterBurst,
          voterRefillPerS,
          addressBallotsPerMinute: 6000,
          addressOthersPerMinute: 15,
        },
        clock: this.process,
        log: silentLog,
        random8: crypto.random8,
        onAway: () => undefined,
      }),
      queue: this.queue,
      clock: this.process,
      random: () => random.fraction(),
      isReady: () => this.#isCaughtUp && judge.doubts().length === 0,
    };
    region.sessions.follow(({ value }) => {
      this.process.after(random.whole(1, 30), () => sessions.apply([{ value }]));
    });
    this.process.after(random.whole(5, 40), () => {
      sessions.apply(region.sessions.messages);
      this.#isCaughtUp = true;
    });
  }

  /** What arrives over HTTP. A process that has died takes no connection. */
  submit(submitted: Submitted): Promise<Accepted> {
    if (this.process.isDead) return Promise.reject(new Error('connection refused'));
    if (this.process.stoppedUntilMs <= this.process.timeline.nowMs) {
      return this.#take(submitted);
    }
    // Stopped: what arrives lies in its socket until it goes on.
    return new Promise((resolve, reject) => {
      this.process.after(0, () => {
        this.#take(submitted).then(resolve, reject);
      });
    });
  }

  async #take(submitted: Submitted): Promise<Accepted> {
    const isBeyond = this.process.timeline.nowMs > this.beyondSinceMs;
    const accepted = await submitVote(this.#parts, submitted);
    if (isBeyond) this.takenBeyond++;
    return accepted;
  }
}
