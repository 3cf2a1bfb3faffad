import type { FlawName } from '../simulate/flaws.ts';

/** A change of a text that stands exactly once in a file of `regional-core/`. */
export interface Patch {
  readonly file: string;
  readonly find: string;
  readonly put: string;
}

/** A bug that the simulator, or the check of exact numbers, must find. */
export interface Bug {
  readonly name: string;
  readonly patches?: readonly Patch[];
  /** For what SQL or a broker would do wrong. */
  readonly flaw?: FlawName;
  /** What finds it; the simulator when not said. */
  readonly by?: 'exact-numbers';
}

export const bugs: readonly Bug[] = [
  { name: 'acks=1', flaw: 'acks-one' },
  {
    name: '201 before the ack',
    patches: [
      {
        file: 'intake/produce-queue.ts',
        find: 'const written = await this.#sender.send(records, deadlineMs);',
        put: `const written = { partition: 0, base: 0 };
          void this.#sender.send(records, deadlineMs).catch(() => undefined);`,
      },
    ],
  },
  { name: 'offsets are not compared', flaw: 'no-fence' },
  {
    name: 'reading starts at the end',
    patches: [
      {
        file: 'ledger/worker.ts',
        find: 'source.assign(this.#stopped.without(positions));',
        put: `const before = new Map(source.positions());
          source.assign(positions);
          const ends = source.logEnds();
          source.assign(before);
          const atEnd = [...positions.keys()].map(
            (p) => [p, before.get(p) ?? ends.get(p)!] as const,
          );
          source.assign(new Map(atEnd));`,
      },
    ],
  },
  { name: 'tallies are counted from Kafka', flaw: 'tally-from-log' },
  {
    name: 'a claim has no pending state',
    patches: [
      {
        file: 'intake/claim.ts',
        find: "{ act: 'repeat', done: held } : { act: 'produce' };",
        put: "{ act: 'repeat', done: held } : { act: 'refuse_duplicate', acceptedAtMs: 0 };",
      },
    ],
  },
  { name: 'the ledger cuts off by its own clock', flaw: 'late-by-clock' },
  {
    name: 'one verdict for a whole batch',
    patches: [
      {
        file: 'intake/produce-queue.ts',
        find: `        reject(error);
      }`,
        put: `        reject(new NotSentError());
      }`,
      },
    ],
  },
  { name: 'offsets are written apart', flaw: 'offsets-apart' },
  {
    name: 'a tally is read as a float',
    by: 'exact-numbers',
    patches: [
      {
        file: 'common/postgres.ts',
        find: 'if (!Number.isSafeInteger(value)) throw',
        put: 'if (Number.isNaN(value)) throw',
      },
    ],
  },
  {
    name: 'a total is added up as a float',
    by: 'exact-numbers',
    patches: [
      {
        file: 'publisher/totals.ts',
        find: 'if (![sum, ...counts].every(Number.isSafeInteger))',
        put: 'if (Number.isNaN(sum))',
      },
    ],
  },
  {
    name: 'sealed before the grace',
    patches: [
      {
        file: 'ledger/sealer.ts',
        find: 'const closedForMs = answeredForMs + clockErrorMs();',
        put: 'const closedForMs = 0 * clockErrorMs();',
      },
    ],
  },
  {
    name: 'poison records are skipped',
    patches: [
      {
        file: 'ledger/batch.ts',
        find: 'for (const record of decoded.unreadable) addUnreadable(batch, record);',
        put: '',
      },
    ],
  },
  {
    name: 'a clock that was set is believed',
    patches: [
      {
        file: 'intake/submit-vote.ts',
        find: 'if (!parts.isReady()) throw notReady(parts);',
        put: '',
      },
    ],
  },
];
