import { type Clock, SECOND_MS, sleep } from '#common/clock.ts';
import type { SigningKey } from '#common/keys.ts';
import type { PortalClient } from '../portal-client.ts';
import { explainWaiting, submitAct } from './submit-act.ts';

interface LogState {
  readonly log: string;
  readonly stands_for: string | null;
  readonly live: boolean;
  readonly lost_at: string | null;
  readonly next_offsets: readonly number[];
  readonly outstanding: number;
}

interface Regions {
  readonly epoch: number;
  readonly logs: readonly LogState[];
}

export interface RecoverParts {
  readonly client: PortalClient;
  readonly key: SigningKey;
  /** Where the copies kept by a region end, by partition; rejects when it keeps none. */
  readonly copiesEnd: (hostRegion: string) => Promise<readonly number[]>;
  /** Where the region's own log ends, by partition; rejects when its Kafka does not answer. */
  readonly ownEnd: (region: string) => Promise<readonly number[]>;
  readonly write: (text: string) => void;
  readonly clock: Pick<Clock, 'after' | 'monotonicMs'>;
  /** How long the copies may take to be read. */
  readonly readMsMax: number;
}

/** A ledger that hosts copies makes their log known within seconds. */
const unknownCopiesMsMax = 15 * SECOND_MS;

/**
 * One person's part in declaring a region lost: says what is lost with it and signs. With the
 * second person's signature it waits until the copies of its votes are read. Run again it changes
 * nothing. Throws an Error with one sentence.
 */
export async function recoverRegion(parts: RecoverParts, region: string): Promise<void> {
  const { client, key, write, clock } = parts;
  const before = await client.get<Regions>('/regions');
  const own = before.logs.find(({ log, stands_for }) => log === region && stands_for === null);
  if (own === undefined) {
    const names = before.logs.filter(({ stands_for }) => stands_for === null);
    throw new Error(
      `There is no region ${region}; there are ${names.map(({ log }) => log).join(', ')}.`,
    );
  }
  const startedMs = clock.monotonicMs();
  if (own.lost_at === null) {
    write(describeLoss(own, before));
    write(describeEnd(own, await parts.ownEnd(region).catch(() => undefined)));
    const act = { act: 'declare_lost', region, epoch: before.epoch } as const;
    const submitted = await submitAct(client, act, key);
    if (submitted.state !== 'agreed') return write(explainWaiting(submitted));
    write(`Two people agree: ${region} is lost. act ${submitted.hash}\n`);
  } else {
    write(`${region} is lost since ${own.lost_at}; nothing changes.\n`);
  }
  const copies = await readCopies(parts, region);
  const seconds = ((clock.monotonicMs() - startedMs) / SECOND_MS).toFixed(1);
  write(
    copies === undefined
      ? `No region keeps copies of ${region}: what was not read is gone.\n`
      : `${copies} copies of its votes are read, after ${seconds} s.\n`,
  );
}

function describeLoss(own: LogState, { epoch, logs }: Regions): string {
  const copies = logs.filter(({ stands_for }) => stands_for === own.log);
  const silent = copies.filter(({ next_offsets }) => next_offsets.length === 0);
  const read = [
    `${own.log} in epoch ${epoch}: its log was read up to these offsets, and never will be beyond:`,
    `  ${own.next_offsets.join(' ')}`,
    `${own.outstanding} records were known and not read when the ledger last looked.`,
  ];
  return [
    ...(own.next_offsets.length > 0
      ? read
      : [`${own.log} in epoch ${epoch}: its ledger was never heard of; nothing of it was read.`]),
    copies.length > 0
      ? `Copies in ${namesOf(copies)} are read in its place${
          silent.length > 0 ? `; of ${namesOf(silent)} nothing was heard until now` : ''
        }.`
      : 'No copies are known: what was accepted and not read is lost, and receipts tell whose.',
    '',
  ].join('\n');
}

function namesOf(logs: readonly LogState[]): string {
  return logs.map(({ log }) => log).join(', ');
}

/** The ledger's own word is as old as the ledger: where Kafka answers, Kafka is asked. */
function describeEnd({ next_offsets }: LogState, ends: readonly number[] | undefined): string {
  if (ends === undefined) {
    return 'Its Kafka does not answer: what lies behind these offsets cannot be counted.\n';
  }
  const behind = ends.reduce(
    (sum, end, partition) => sum + end - (next_offsets[partition] ?? 0),
    0,
  );
  return `Its Kafka answers: ${behind} records lie behind these offsets.\n`;
}

/** Resolves to how many records the copies had, once all are read; undefined when there are none. */
async function readCopies(parts: RecoverParts, region: string): Promise<number | undefined> {
  const { client, clock, readMsMax } = parts;
  const startedMs = clock.monotonicMs();
  for (;;) {
    const { logs } = await client.get<Regions>('/regions');
    const copies = logs.filter(({ stands_for, live }) => stands_for === region && live);
    const states = await Promise.all(copies.map((log) => readState(parts, log)));
    if (states.length > 0 && states.every(({ isRead }) => isRead)) {
      return states.reduce((sum, { records }) => sum + records, 0);
    }
    const waitedMs = clock.monotonicMs() - startedMs;
    if (states.length === 0 && waitedMs > Math.min(unknownCopiesMsMax, readMsMax)) return undefined;
    if (waitedMs > readMsMax) {
      throw new Error(
        `${region} is lost, and its copies are not read yet: look at the ledger of ` +
          `${copies.map(({ log }) => log.split('@')[1]).join(', ')}, and run this again.`,
      );
    }
    await sleep(SECOND_MS / 2, undefined, clock);
  }
}

async function readState(
  { copiesEnd }: RecoverParts,
  { log, next_offsets }: LogState,
): Promise<{ readonly isRead: boolean; readonly records: number }> {
  const ends = await copiesEnd(log.split('@')[1]!);
  return {
    isRead: ends.every((end, partition) => (next_offsets[partition] ?? 0) >= end),
    records: ends.reduce((sum, end) => sum + end, 0),
  };
}
