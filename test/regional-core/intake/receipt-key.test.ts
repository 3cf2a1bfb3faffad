import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '#common/clock.ts';
import { loadConfig } from '#common/config.ts';
import { createLog } from '#common/log.ts';
import { ReceiptKey, receiptKeyFileKey } from '../../../regional-core/intake/receipt-key.ts';
import { createSigningKey } from '../../support/votes.ts';

const first = createSigningKey();
const second = createSigningKey();
const jwk = ({ privateKey }: typeof first) => JSON.stringify(privateKey.export({ format: 'jwk' }));
let folder: string;
let path: string;
let lines: { level: string; msg: string }[];
let receiptKey: ReceiptKey;
/** What waits for time to pass. */
let waiting: (() => void)[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vote-receipt-key-'));
  path = join(folder, 'receipt-key.jwk');
  await writeFile(path, jwk(first));
  lines = [];
  waiting = [];
  const log = createLog({ service: 'test' }, 'info', {
    write: (line) => lines.push(JSON.parse(line) as { level: string; msg: string }),
  });
  const after = (_: number, act: () => void) => {
    waiting.push(act);
    return () => undefined;
  };
  receiptKey = new ReceiptKey({ path, key: first }, { clock: { ...systemClock, after }, log });
});
afterEach(async () => {
  await receiptKey.close();
  await rm(folder, { recursive: true, force: true });
});

/** Lets the file be looked at once. */
async function look(): Promise<void> {
  waiting.shift()!();
  while (waiting.length === 0) await new Promise((resolve) => setImmediate(resolve));
}

test('a key put in place of the file signs from the next look on', async () => {
  await look();
  expect(receiptKey.current.kid).toBe(first.kid);
  await writeFile(`${path}.new`, jwk(second));
  await rename(`${path}.new`, path);
  await look();
  expect(receiptKey.current.kid).toBe(second.kid);
  expect(receiptKey.isReadable).toBe(true);
  expect(lines.map(({ msg }) => msg)).toEqual(['receipts have a new key']);
});

test.each<[string, () => Promise<void>]>([
  ['gone', () => rm(path)],
  ['empty', () => writeFile(path, '')],
  ['half written', () => writeFile(path, jwk(second).slice(0, 50))],
  ['without its private part', () => writeFile(path, JSON.stringify(second.publicJwk))],
])(
  'a file that is %s leaves the last good key, said once, and a good one mends it',
  async (_, hurt) => {
    await hurt();
    await look();
    await look();
    expect(receiptKey.current.kid).toBe(first.kid);
    expect(receiptKey.isReadable).toBe(false);
    expect(lines.map(({ level }) => level)).toEqual(['error']);
    await writeFile(path, jwk(second));
    await look();
    expect(receiptKey.current.kid).toBe(second.kid);
    expect(receiptKey.isReadable).toBe(true);
  },
);

test('a start with a file that holds no key says which key of the configuration it is', async () => {
  await writeFile(path, 'no key');
  const spec = { receiptKey: receiptKeyFileKey('VOTE_RECEIPT_KEY_FILE', 'The key.') };
  expect(() => loadConfig(spec, { VOTE_RECEIPT_KEY_FILE: path })).toThrow(
    /VOTE_RECEIPT_KEY_FILE names a file .* that does not hold JSON/,
  );
});
