import { type Cut, type CutPoint, cuts } from './coverage.ts';
import type { PlannedCut } from './network.ts';
import type { Random } from './random.ts';

/** A wait of a process on its own clock can only be the last thing that it does. */
const waitCuts: readonly Cut[] = ['killed before', 'killed after'];

/**
 * Every await of the production code on something outside its process, and how often a run comes to
 * it, roughly: a cut is planned for one of these.
 */
const awaits: readonly (readonly [point: string, times: number])[] = [
  ['claims.admit', 40],
  ['claims.countStranger', 3],
  ['claims.finish', 30],
  ['claims.withdraw', 2],
  ['log.append', 25],
  ['standby.append', 20],
  ['intake.wait', 40],
  ['ledger.lease', 30],
  ['ledger.take', 60],
  ['ledger.count', 30],
  ['ledger.release', 1],
  ['ledger.unsealed', 15],
  ['ledger.seal', 10],
  ['ledger.readThrough', 12],
  ['ledger.settle', 1],
  ['ledger.listAgreed', 10],
  ['ledger.recount', 1],
  ['ledger.final', 1],
  ['ledger.wait', 60],
  ['publisher.readSessions', 30],
  ['publisher.readBallotKeys', 30],
  ['publisher.readSealKeys', 30],
  ['publisher.readRegions', 30],
  ['publisher.readTotals', 50],
  ['publisher.sendSessions', 3],
  ['publisher.sendTotals', 15],
  ['publisher.wait', 60],
];

export const cutPoints: readonly CutPoint[] = awaits.map(([point]) => [
  point,
  point.endsWith('.wait') ? waitCuts : cuts,
]);

/** Some awaits that will be hit, each at some time. */
export function planCuts(random: Random, count: number): PlannedCut[] {
  return Array.from({ length: count }, () => {
    const [point, times] = random.pick(awaits);
    const cut = random.pick(point.endsWith('.wait') ? waitCuts : cuts);
    return { point, cut, nth: random.whole(1, times) };
  });
}
