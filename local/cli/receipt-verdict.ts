import { encodeBase32, groupSymbols } from '#common/base32.ts';
import { type Receipt, receiptLengthMax, verifyReceipt } from '#common/contracts/receipt.ts';
import { importPublicKeys, type PublicJwk } from '#common/keys.ts';

/** What can be said about a receipt from public keys alone. */
export type ReceiptVerdict =
  | { readonly kind: 'genuine'; readonly receipt: Receipt; readonly kid: string }
  | { readonly kind: 'unreadable'; readonly why: string }
  | { readonly kind: 'unknown_key'; readonly kid: string; readonly known: readonly string[] }
  | { readonly kind: 'forged'; readonly kid: string };

/** Judges a receipt as it lies in a file: space around it does not matter. */
export function judgeReceipt(text: string, keys: readonly PublicJwk[]): ReceiptVerdict {
  const token = text.trim();
  if (token === '') return { kind: 'unreadable', why: 'the file is empty' };
  if (token.length > receiptLengthMax) {
    return { kind: 'unreadable', why: `it is longer than ${receiptLengthMax} characters` };
  }
  const parts = token.split('.');
  if (parts.length !== 3) {
    return { kind: 'unreadable', why: 'it has not the three parts of a signed receipt' };
  }
  const header = readObject(parts[0]!);
  const { alg, kid, typ } = header ?? {};
  if (alg !== 'EdDSA' || typ !== 'receipt+jws' || typeof kid !== 'string') {
    return { kind: 'unreadable', why: 'its header is not that of a receipt' };
  }
  if (!keys.some((key) => key.kid === kid)) {
    return { kind: 'unknown_key', kid, known: keys.map((key) => key.kid) };
  }
  const receipt = verifyReceipt(token, importPublicKeys(keys));
  return receipt === undefined ? { kind: 'forged', kid } : { kind: 'genuine', receipt, kid };
}

const durabilityWords: Record<Receipt['durability'], string> = {
  single: 'on one broker (a stack on one machine)',
  region: 'by every in-sync copy in that region',
  'two-regions': 'in that region and as a copy in another one',
};

/** The verdict in plain words, a field a line. */
export function describeReceipt(verdict: ReceiptVerdict): string {
  switch (verdict.kind) {
    case 'unreadable':
      return `Not a receipt: ${verdict.why}.\n`;
    case 'unknown_key':
      return (
        `Nothing can be said: it names the key ${verdict.kid}, ` +
        `and the keys given are ${verdict.known.join(', ') || 'none'}.\n`
      );
    case 'forged':
      return `Not genuine: the key ${verdict.kid} did not sign these bytes.\n`;
    case 'genuine':
      return describeGenuine(verdict);
  }
}

function describeGenuine({ receipt, kid }: { receipt: Receipt; kid: string }): string {
  const code = encodeBase32(Buffer.from(receipt.commitment, 'base64url'), 10);
  const lines: [string, string][] = [
    ['vote', receipt.vote_id],
    ['session', receipt.session_id],
    ['accepted at', receipt.accepted_at],
    ['recorded in', `${receipt.region}, partition ${receipt.partition}, offset ${receipt.offset}`],
    ['kept', durabilityWords[receipt.durability]],
    ['choice', `only committed to; its confirmation code is ${groupSymbols(code, 5)}`],
    ['signed by', `key ${kid}`],
  ];
  return [
    'Genuine: this vote was recorded as it says.',
    ...lines.map(([name, value]) => `  ${name.padEnd(12)} ${value}`),
    'A receipt says that a vote was recorded. That it counts, the state of the vote says.',
    '',
  ].join('\n');
}

function readObject(part: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString());
    return value !== null && typeof value === 'object' && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}
