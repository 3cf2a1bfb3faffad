// npm run -s balance -- --session ID [--json]: how a session's records ended; does it add up?

import { parseArgs } from 'node:util';
import { topicName } from '#common/contracts/topics.ts';
import { createLog } from '#common/log.ts';
import { createPool } from '#common/postgres.ts';
import { isUuid } from '#common/uuid.ts';
import { type Balance, balanceOf, judgedIn } from '../../regional-core/records/balance/balance.ts';
import { findSession } from '../../regional-core/records/sql/find-session.ts';
import { type BalanceRow, readBalance } from '../../regional-core/records/sql/read-balance.ts';
import { runCommand } from './command.ts';
import { countLog, type PartitionHolds } from './count-log.ts';

const usage = `Usage: npm run -s balance -- --session ID [--json]
  --session ID   the voting session (a UUID)
  --json         one line of JSON instead of a table`;

/** Where the stores of a stack are. */
export interface BalanceStores {
  /** URL of a role that reads the schema votes. */
  readonly postgres: string;
  /** Every region's broker, `host:port`. */
  readonly regions: readonly { readonly name: string; readonly kafka: string }[];
  readonly topicPrefix: string;
}

/** The balance, and a sentence for each place where it does not add up. */
export interface BalanceReport {
  readonly balance: Balance;
  readonly faults: readonly string[];
}

/** Reads the command line. Throws an Error with one sentence. */
export function parseBalanceOptions(args: readonly string[]): { sessionId: string; json: boolean } {
  const { values } = parseArgs({
    args: [...args],
    allowPositionals: false,
    options: { session: { type: 'string' }, json: { type: 'boolean', default: false } },
  });
  const { session: sessionId, json } = values;
  if (sessionId === undefined) throw new Error('--session is missing');
  if (!isUuid(sessionId)) throw new Error(`--session must be a UUID, not "${values.session}"`);
  return { sessionId, json };
}

/**
 * Reads what the ledger said from Postgres, then the logs of all regions from Kafka: what lies
 * before the ledger's offset must be the sum of its verdicts, to the record; what lies behind it is
 * pending. In this order, because the logs never end before what the ledger has read of them.
 */
export async function reportBalance(
  stores: BalanceStores,
  sessionId: string,
): Promise<BalanceReport> {
  const log = createLog({ service: 'balance' }, 'error', process.stderr);
  const pool = createPool({
    url: stores.postgres,
    applicationName: 'balance',
    connectionsMax: 1,
    log,
  });
  let rows: BalanceRow[];
  let opensAtMs: number;
  try {
    const session = await findSession(pool, sessionId);
    if (session === undefined) throw new Error(`There is no session ${sessionId}.`);
    opensAtMs = session.opens_at.getTime();
    rows = await readBalance(pool, [sessionId]);
  } finally {
    await pool.end();
  }
  const holds = new Map<string, readonly PartitionHolds[]>();
  for (const name of logsToCount(stores, rows)) {
    const own = rows.filter(({ region }) => region === name);
    const splitAt = new Map(own.map(({ partition, ledger_next }) => [partition, ledger_next]));
    const host = stores.regions.find((region) => region.name === name.split('@').at(-1));
    if (host === undefined) continue;
    const topic = topicName(
      stores.topicPrefix,
      name.includes('@') ? 'vote-standby' : 'vote-submitted',
    );
    const options = { brokers: [host.kafka], clientId: 'balance', topic, log };
    holds.set(name, await countLog(options, { sessionId, opensAtMs }, splitAt));
  }
  return addUp(rows, holds);
}

/** Every region's log and the copies that are read, but no log that is not read any more. */
function logsToCount(stores: BalanceStores, rows: readonly BalanceRow[]): ReadonlySet<string> {
  const names = new Set(stores.regions.map(({ name }) => name));
  for (const { region, is_live } of rows) {
    if (is_live) names.add(region);
    else names.delete(region);
  }
  return names;
}

/** Puts the two sides together. Exported for tests. */
export function addUp(
  rows: readonly BalanceRow[],
  holds: ReadonlyMap<string, readonly PartitionHolds[]>,
): BalanceReport {
  const faults: string[] = [];
  let accepted = 0;
  for (const row of rows) {
    // Of a log that is not read any more, what was judged is all there is.
    if (!row.is_live) accepted += judgedIn(row);
    else accepted -= row.control;
    const judged = judgedIn(row) + row.control;
    const read = holds.get(row.region)?.[row.partition]?.before ?? 0;
    if (!row.is_live || read === judged) continue;
    const where = `${row.region}, partition ${row.partition}, before offset ${row.ledger_next}`;
    faults.push(
      holds.has(row.region)
        ? `${where}: the log holds ${read} records and the ledger judged ${judged}`
        : `${row.region} does not run here, and the ledger judged ${judged} records of its log`,
    );
  }
  for (const partitions of holds.values()) {
    for (const { before, from, controlFrom } of partitions) accepted += before + from - controlFrom;
  }
  return { balance: balanceOf(rows, accepted), faults };
}

/** `accepted 12 = counted 10 + duplicate 1 + …`: one line that adds up. */
export function formatBalance({ accepted, ...ends }: Balance): string {
  const terms = Object.entries(ends).map(([word, records]) => `${word} ${records}`);
  return `accepted ${accepted} = ${terms.join(' + ')}`;
}

if (import.meta.main) {
  await runCommand(usage, parseBalanceOptions, async ({ sessionId, json }, stack) => {
    const { postgres, regions } = stack;
    const { balance, faults } = await reportBalance(
      { postgres, regions, topicPrefix: '' },
      sessionId,
    );
    process.stdout.write(`${json ? JSON.stringify(balance) : formatBalance(balance)}\n`);
    if (faults.length > 0) throw new Error(`It does not add up:\n  ${faults.join('\n  ')}`);
  });
}
