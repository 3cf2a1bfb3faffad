import { assembleReceipt, signReceipt } from '#common/contracts/receipt.ts';
import { createSigningKey } from './votes.ts';

/**
 * What each verifier of receipts must say of the same texts: the page, the command and the
 * services. `good` is said of exactly one text a record and key, so that a receipt can be compared
 * as text.
 */
export interface ReceiptVector {
  readonly name: string;
  readonly text: string;
  readonly verdict: 'good' | 'forged' | 'unknown key' | 'unreadable';
}

export const vectorKey = createSigningKey();
const stranger = createSigningKey();

const fields = {
  vote_id: '0d1f6c1e-8f3a-8abc-9def-0123456789ab',
  session_id: '3b241101-e2bb-4255-8caf-4136c566a962',
  commitment: 'AAAA',
  acceptedAtMs: Date.parse('2030-01-01T00:00:00.123Z'),
  region: 'us-east-1',
  partition: 7,
  offset: 1234,
  durability: 'region',
} as const;
const good = assembleReceipt(fields, vectorKey.kid, signReceipt(fields, vectorKey));
const [header, payload, signature] = good.split('.') as [string, string, string];

/** 64 bytes are 86 symbols, of which the last has four bits to spare. */
function withSpareBits(text: string): string {
  const symbols = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  return text.slice(0, -1) + symbols[symbols.indexOf(text.at(-1)!) + 1]!;
}

export const receiptVectors: readonly ReceiptVector[] = [
  { name: 'as it was given', text: good, verdict: 'good' },
  {
    name: 'spare bits in the last symbol of the signature',
    text: `${header}.${payload}.${withSpareBits(signature)}`,
    verdict: 'forged',
  },
  {
    name: 'a padded signature',
    text: `${good}==`,
    verdict: 'forged',
  },
  {
    name: 'the signature in the other alphabet of base64',
    text: `${header}.${payload}.${otherAlphabet()}`,
    verdict: 'forged',
  },
  { name: 'half a signature', text: good.slice(0, -43), verdict: 'forged' },
  {
    name: 'symbols that are in no alphabet',
    text: `${header}.${payload}.${'*'.repeat(86)}`,
    verdict: 'forged',
  },
  { name: 'no signature', text: `${header}.${payload}.`, verdict: 'forged' },
  {
    name: 'signed by another key than it names',
    text: assembleReceipt(fields, vectorKey.kid, signReceipt(fields, stranger)),
    verdict: 'forged',
  },
  {
    name: 'another record under the same signature',
    text: assembleReceipt({ ...fields, offset: 1235 }, vectorKey.kid, signatureBytes()),
    verdict: 'forged',
  },
  {
    name: 'of a key that nobody knows',
    text: assembleReceipt(fields, stranger.kid, signReceipt(fields, stranger)),
    verdict: 'unknown key',
  },
  { name: 'a fourth part', text: `${good}.AAAA`, verdict: 'unreadable' },
  { name: 'two parts', text: `${header}.${payload}`, verdict: 'unreadable' },
];

function signatureBytes(): Buffer {
  return Buffer.from(signature, 'base64url');
}

/** Of a signature that has a symbol in which the alphabets differ: nearly every one has. */
function otherAlphabet(): string {
  return signature.replaceAll('-', '+').replaceAll('_', '/').padEnd(88, '=');
}
