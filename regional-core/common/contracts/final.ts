import {
  type ActSignature,
  type AgreementVerdict,
  type ApprovalKeys,
  actBodyBytesMax,
  actHash,
  type FinaliseAct,
  parseAct,
  verifyAgreement,
} from './act.ts';

/**
 * The final statement: the act by which two people declared a session's result, and their
 * signatures. It stands in Kafka as a record of the session's log before anybody announces it, and
 * in Postgres as the same JSON; whoever reads it verifies it and needs to believe nobody.
 *
 *   kind u8 = 3 | {"act": "<the act's canonical body>", "signatures": [{"kid", "signature"} × 2]}
 *
 * The record's key is the session's id (16 bytes), as every record's of the session.
 */
export interface FinalStatement {
  readonly act: FinaliseAct;
  /** The act's canonical body, and its SHA-256 in hex. */
  readonly body: string;
  readonly hash: string;
  readonly signatures: readonly [ActSignature, ActSignature];
}

export const finalRecordKind = 3;
export const finalRecordBytesMax = 64 * 1024;

/**
 * A statement's JSON, as Postgres keeps it. Signatures are put in order, so that the same agreement
 * is the same bytes. Throws a TypeError for a body that is not a finalising act's, or not two
 * signatures.
 */
export function encodeStatement(body: string, signatures: readonly ActSignature[]): Buffer {
  if (parseAct(body)?.act !== 'finalise' || signatures.length !== 2) {
    throw new TypeError('not an agreed act that finalises a session');
  }
  const ordered = signatures
    .map(({ kid, signature }) => ({ kid, signature }))
    .toSorted((a, b) => (a.kid < b.kid ? -1 : 1));
  return Buffer.from(JSON.stringify({ act: body, signatures: ordered }));
}

/** Reads a statement's JSON; undefined for anything else. Says nothing about its signatures. */
export function decodeStatement(json: Buffer): FinalStatement | undefined {
  if (json.length > finalRecordBytesMax) return undefined;
  let value: { act?: unknown; signatures?: unknown } | null;
  try {
    value = JSON.parse(json.toString()) as { act?: unknown; signatures?: unknown } | null;
  } catch {
    return undefined;
  }
  const body = value?.act;
  const signatures = value?.signatures;
  if (typeof body !== 'string' || body.length > actBodyBytesMax) return undefined;
  if (!Array.isArray(signatures) || !signatures.every(isSignature)) return undefined;
  const [first, second, more] = signatures;
  const act = parseAct(body);
  if (act?.act !== 'finalise' || !first || !second || more !== undefined) return undefined;
  return { act, body, hash: actHash(body), signatures: [first, second] };
}

/** The value of the record in Kafka, from a statement's JSON. */
export function finalRecord(statement: Buffer): Buffer {
  return Buffer.concat([Uint8Array.of(finalRecordKind), statement]);
}

/** Reads such a value; undefined for a record of another kind or form. */
export function decodeFinalRecord(value: Buffer): FinalStatement | undefined {
  return value[0] === finalRecordKind ? decodeStatement(value.subarray(1)) : undefined;
}

/** Did two different people, by keys registered, sign this statement? */
export function verifyStatement(
  statement: FinalStatement,
  registered: ApprovalKeys,
): AgreementVerdict {
  return verifyAgreement(statement.hash, statement.signatures, registered);
}

function isSignature(value: unknown): value is ActSignature {
  const { kid, signature } = (value ?? {}) as Record<string, unknown>;
  return typeof kid === 'string' && typeof signature === 'string';
}
