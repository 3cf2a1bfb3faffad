import { type ActSignature, actBody, type FinaliseAct } from '#common/contracts/act.ts';
import { digestOf } from './model/results.ts';
import { countWinners, readLogs } from './oracle.ts';
import { sessionId, type World } from './world.ts';

const everyMs = 1500;
const signature = (name: string): ActSignature => ({
  kid: Buffer.from(name).toString('base64url'),
  signature: Buffer.alloc(64, name).toString('base64url'),
});

/**
 * Two people who recount a settled session from Kafka and agree on what they find. What a database
 * forgot of that they do again.
 */
export function letPeopleFinalise(world: World): void {
  const look = (): void => {
    world.timeline.after(everyMs, look);
    const { writer } = world.address;
    if (writer.mode !== 'writer') return;
    const session = writer.state.sessions.get(sessionId)!;
    const isAgreed = writer.state.agreed.has(sessionId);
    if (session.sealedAtMs === null || session.final !== null || isAgreed) return;
    const body = actBody(recountFromKafka(world));
    const signatures = [signature('person-1'), signature('person-2')];
    writer.write((state) => {
      state.agreed.set(sessionId, { body, signatures });
    }, world.wallMs());
  };
  world.timeline.after(everyMs, look);
}

function recountFromKafka(world: World): FinaliseAct {
  const { state } = world;
  const session = state.sessions.get(sessionId)!;
  const winners = countWinners(world, readLogs(world));
  const digest = digestOf(session, winners);
  const counts = session.optionIds.map(() => 0);
  for (const { optionNo } of winners.values()) counts[optionNo]!++;
  const covers: Record<string, number[]> = {};
  for (const { logNo, partition, next } of state.offsets.values()) {
    (covers[state.logs.get(logNo)!.name] ??= [])[partition] = next;
  }
  return {
    act: 'finalise',
    session_id: sessionId,
    session_version: session.version,
    digest,
    total: winners.size,
    counts,
    recounts: { rows: digest, tallies: 'equal', kafka: digest },
    covers,
  };
}
