import { type Clock, SECOND_MS, sleep } from '#common/clock.ts';
import type { FinaliseAct } from '#common/contracts/act.ts';
import type { SigningKey } from '#common/keys.ts';
import type { PortalClient } from '../portal-client.ts';
import type { Recount } from './recount/recount-session.ts';
import { formatRecount } from './recount.ts';
import { explainWaiting, submitAct } from './submit-act.ts';

/** The part of the portal's answer that is read here. */
interface Finality {
  readonly state: 'scheduled' | 'open' | 'closed' | 'sealed' | 'final';
  readonly version: number;
  readonly digest: string | null;
  readonly act_hash: string | null;
  readonly final_at: string | null;
  readonly outstanding: number;
  readonly margin: number;
  readonly late: number;
  readonly logs: readonly {
    readonly log: string;
    readonly partitions: number;
    readonly sealed: number;
    readonly outstanding: number;
    readonly covers: readonly number[] | null;
  }[];
  readonly lost_regions: readonly { readonly region: string; readonly never_read: number }[];
}

export interface FinaliseParts {
  readonly client: PortalClient;
  readonly key: SigningKey;
  /** This person's own recount, from rows, tallies and Kafka. */
  readonly recount: () => Promise<Recount>;
  readonly write: (text: string) => void;
  readonly clock: Pick<Clock, 'after' | 'monotonicMs'>;
  /** Prefix of the results' addresses. */
  readonly resultsUrl: string;
}

/** The ledger writes the statement within a moment, once it stands; a machine may be busy. */
const finalMsMax = 60 * SECOND_MS;

/**
 * One person's part in a final result: recounts, shows, signs. With the second person's signature it
 * waits until the result is final. Throws an Error with one sentence when it cannot be.
 */
export async function finaliseSession(parts: FinaliseParts, sessionId: string): Promise<void> {
  const { client, key, write } = parts;
  const path = `/sessions/${sessionId}/finality`;
  const before = await client.get<Finality>(path);
  if (before.state === 'final') return write(describeFinal(parts, sessionId, before));
  if (before.state !== 'sealed') throw new Error(explainUnsealed(before));
  const recount = await parts.recount();
  write(formatRecount(recount, undefined));
  for (const { region, never_read } of before.lost_regions) {
    write(
      `${region} was declared lost; at least ${never_read} records of its log were never read.\n`,
    );
  }
  if (before.late > 0) write(`${before.late} records were late: listed, not counted.\n`);
  const submitted = await submitAct(client, actOf(sessionId, before, recount), key);
  if (submitted.state !== 'agreed') return write(explainWaiting(submitted));
  write(`Two people agree. act ${submitted.hash}\n`);
  const deadlineMs = parts.clock.monotonicMs() + finalMsMax;
  for (;;) {
    const now = await client.get<Finality>(path);
    if (now.state === 'final') return write(describeFinal(parts, sessionId, now));
    if (parts.clock.monotonicMs() > deadlineMs) {
      throw new Error('It is agreed, and the ledger has not made it final yet: look at its log.');
    }
    await sleep(SECOND_MS / 2, undefined, parts.clock);
  }
}

/** Exported for tests. Throws an Error that lists the differences when the recounts are not equal. */
export function actOf(sessionId: string, finality: Finality, recount: Recount): FinaliseAct {
  const { rows, tallies, kafka, differences, isProvisional } = recount;
  if (differences.length > 0) {
    throw new Error(
      `The recounts differ, so there is nothing to sign:\n  ${differences.join('\n  ')}`,
    );
  }
  if (isProvisional) throw new Error('The recount is provisional: not everything is sealed.');
  if (rows === undefined || tallies === undefined || kafka === undefined) {
    throw new Error('A result is signed after three recounts: rows, tallies and Kafka.');
  }
  if (rows.digest !== kafka.digest || rows.counts.join() !== tallies.counts.join()) {
    throw new Error('The recounts differ, so there is nothing to sign.');
  }
  const covers = finality.logs.flatMap(({ log, covers: offsets }) =>
    offsets === null ? [] : [[log, offsets] as const],
  );
  return {
    act: 'finalise',
    session_id: sessionId,
    session_version: finality.version,
    digest: rows.digest,
    total: rows.total,
    counts: rows.counts,
    recounts: { rows: rows.digest, tallies: 'equal', kafka: kafka.digest },
    covers: Object.fromEntries(covers),
  };
}

function explainUnsealed({ state, logs, outstanding, margin }: Finality): string {
  if (state !== 'closed') return `The session is ${state}: close it first.`;
  const open = logs
    .filter(({ sealed, partitions }) => sealed < partitions || partitions === 0)
    .map(({ log, sealed, partitions }) =>
      partitions === 0
        ? `${log}: its ledger was never heard of`
        : `${log}: ${sealed} of ${partitions} partitions sealed`,
    );
  return [
    'The session is not sealed yet. Seals are written 5 seconds after closing and a moment more.',
    ...open,
    `${outstanding} records are outstanding; the first leads by ${margin}.`,
    'A region that does not come back is taken out by two people: npm run recover.',
  ].join('\n  ');
}

function describeFinal(
  { resultsUrl }: FinaliseParts,
  sessionId: string,
  { digest, act_hash, final_at }: Finality,
): string {
  return [
    `The result is final since ${final_at}.`,
    `digest ${digest}`,
    `act ${act_hash}`,
    `${resultsUrl}/api/v1/results/${sessionId}/final/${digest}`,
    'Seals and this statement stand in Kafka; there is no audit store to hold them for years yet.',
    '',
  ].join('\n');
}
