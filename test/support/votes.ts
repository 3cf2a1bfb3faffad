import { generateKeyPairSync, randomBytes, randomUUID } from 'node:crypto';
import { type Ballot, signBallot, verifyBallot } from '#common/contracts/ballot-token.ts';
import { encodeVoteRecord, voteRecordKey } from '#common/contracts/vote-submitted.ts';
import { importPublicKeys, parseSigningKey, type SigningKey } from '#common/keys.ts';
import type { Pool } from '#common/postgres.ts';
import { uuidV8 } from '#common/uuid.ts';

/** A fresh Ed25519 key, as a service would read it from its file. */
export function createSigningKey(): SigningKey {
  const { privateKey } = generateKeyPairSync('ed25519');
  return parseSigningKey(JSON.stringify(privateKey.export({ format: 'jwk' })));
}

export interface TestSession {
  readonly sessionId: string;
  readonly sessionNo: number;
}

/** An open session of `options` options with its table of votes; `pool` is the superuser's. */
export async function createSession(
  pool: Pool,
  {
    options = 3,
    closesInMs = 3_600_000,
    closesAt = new Date(Date.now() + closesInMs),
    sessionId = randomUUID(),
  }: {
    readonly options?: number;
    readonly closesInMs?: number;
    readonly closesAt?: Date;
    readonly sessionId?: string;
  } = {},
): Promise<TestSession> {
  const list = Array.from({ length: options }, (_, no) => ({
    option_id: `option-${no}`,
    label: `Option ${no}`,
  }));
  const { rows } = await pool.query<{ session_no: number }>(
    `INSERT INTO votes.voting_sessions
       (session_id, title, options, opens_at, closes_at, eligibility, results_policy, created_by)
     VALUES ($1, 'A session', $2, now() - interval '1 minute', $3, '{code}', 'live', 'test')
     RETURNING session_no`,
    [sessionId, JSON.stringify(list), closesAt],
  );
  const sessionNo = rows[0]!.session_no;
  await pool.query('SELECT votes.create_vote_table($1)', [sessionNo]);
  return { sessionId, sessionNo };
}

export function createBallot(sessionId: string, changes: Partial<Ballot> = {}): Ballot {
  return {
    vote_id: uuidV8(randomBytes(16)),
    session_id: sessionId,
    jti: randomBytes(16).toString('base64url'),
    exp: Math.floor(Date.now() / 1000) + 3600,
    acr: 'code',
    challenge: 'not_asked',
    ...changes,
  };
}

/** A record as intake writes it: `key` and `value` for Kafka. */
export function createRecord(
  key: SigningKey,
  ballot: Ballot,
  optionNo: number,
  acceptedAtMs = Date.now(),
): { key: Buffer; value: Buffer } {
  const keys = importPublicKeys([key.publicJwk]);
  const verdict = verifyBallot(signBallot(ballot, key), keys, 0, 0);
  if (!verdict.ok) throw new TypeError(`the test's ballot is ${verdict.reason}`);
  const { kid, signature } = verdict;
  const vote = { ballot, sessionVersion: 1, optionNo, acceptedAtMs, kid, signature };
  return { key: voteRecordKey(ballot.session_id), value: encodeVoteRecord(vote) };
}
