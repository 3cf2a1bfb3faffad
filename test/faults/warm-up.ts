import { sleep } from '#common/clock.ts';
import { Crowd } from './crowd/crowd.ts';
import { openVoting } from './crowd/voting.ts';
import type { Lab } from './lab/lab.ts';

const hourMs = 3_600_000;
/** As many voters a second as the largest scales bring. */
const rate = 150;
const lookMs = 3000;
const answeredMsMax = 200;
const warmUpMsMax = 60_000;

/**
 * Lets a crowd vote, in a session of its own, until every vote of three seconds was answered within
 * 200 ms; for a minute at most. Thirty processes that start on two cores compile for ten seconds
 * and more, and a fault in the midst of that would be blamed for what it has not done.
 */
export async function warmUp(lab: Lab): Promise<void> {
  const { session, voters, history, close } = await openVoting(lab, 'warm-up', hourMs);
  const options = session.optionIds.length;
  const regions = lab.regions.map(({ name }) => name);
  const crowd = new Crowd(voters, { rate, options, regions, patienceMs: warmUpMsMax });
  const giveUpMs = performance.now() + warmUpMsMax;
  let isWarm = false;
  while (!isWarm && performance.now() < giveUpMs) {
    const fromMs = performance.now();
    await sleep(lookMs + answeredMsMax);
    isWarm = history.attempts
      .filter(({ sentMs }) => sentMs > fromMs && sentMs < fromMs + lookMs)
      .every(({ outcome, sentMs, endMs }) => outcome === 'ok' && endMs - sentMs < answeredMsMax);
  }
  await crowd.end();
  close();
}
