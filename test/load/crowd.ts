import { arrivalMs, type Curve } from './arrivals.ts';
import type { Voter } from './ballots.ts';
import { type Casting, castVote } from './cast.ts';
import type { Gauge } from './gauge.ts';
import type { Place } from './visibility.ts';

export interface CrowdOptions {
  readonly casting: Omit<Casting, 'onFailure'>;
  readonly gauge: Gauge;
  readonly voters: readonly Voter[];
  readonly rate: number;
  readonly seconds: number;
  readonly curve: Curve;
  /** Told of each 201: who (number of the voter), where the record lies, when it came. */
  readonly onAccepted: (voter: number, place: Place, atMs: number) => void;
  /** Ends the arrivals early; votes on their way are waited for. */
  readonly stop?: AbortSignal;
}

/**
 * Lets the voters come, each at the time the schedule gives and whether or not others have their
 * answers, and resolves when the last one has an outcome.
 */
export async function runCrowd(options: CrowdOptions): Promise<void> {
  const { voters, rate, seconds, curve, stop } = options;
  const count = Math.round(rate * seconds);
  const wanted = Math.min(voters.length, count);
  const startedAt = performance.now();
  const ended: Promise<void>[] = [];
  await new Promise<void>((resolve) => {
    let next = 0;
    const come = (): void => {
      const now = performance.now() - startedAt;
      if (stop?.aborted) return resolve();
      while (next < wanted) {
        const dueMs = arrivalMs(curve, next, count, seconds * 1000);
        if (dueMs > now) {
          setTimeout(come, dueMs - now);
          return;
        }
        ended.push(submit(options, next, startedAt + dueMs));
        next += 1;
      }
      resolve();
    };
    come();
  });
  await Promise.all(ended);
}

async function submit(options: CrowdOptions, number: number, intendedMs: number): Promise<void> {
  const { gauge, onAccepted } = options;
  const voter = options.voters[number]!;
  gauge.voters.push(voter.voteId);
  const casting: Casting = {
    ...options.casting,
    onFailure: (code, sentAtMs) => {
      gauge.error(code);
      gauge.lastFailureSentMs = Math.max(gauge.lastFailureSentMs, sentAtMs);
    },
  };
  const { outcome, body } = await castVote(casting, voter, number, number);
  const now = performance.now();
  if (body === undefined) {
    gauge[outcome === 'refused' ? 'refused' : 'unknown'] += 1;
    return;
  }
  gauge.submit.record(now - intendedMs);
  gauge.lastAcceptedMs = now;
  const { vote_id: voteId, receipt } = JSON.parse(body) as { vote_id: string; receipt: string };
  gauge.acceptedIds.push(voteId);
  if (voteId !== voter.voteId) gauge.error('other_vote_id');
  onAccepted(number, readPlace(receipt), now);
}

/** Where the record lies, from the receipt's payload. */
export function readPlace(receipt: string): Place {
  const payload = Buffer.from(receipt.split('.')[1] ?? '', 'base64url').toString();
  return JSON.parse(payload) as Place;
}
