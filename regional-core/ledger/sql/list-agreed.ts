import type { ActSignature } from '#common/contracts/act.ts';
import type { Pool } from '#common/postgres.ts';
import type { AgreedResult } from '../finaliser.ts';

/** Results that two people agreed on, of sessions that are settled and not final yet. */
export async function listAgreed(pool: Pool): Promise<AgreedResult[]> {
  const { rows } = await pool.query<{
    session_no: number;
    body: string;
    signatures: ActSignature[];
  }>({
    name: 'list_agreed',
    text: `SELECT s.session_no, act.body, jsonb_agg(jsonb_build_object('kid', signed.kid,
        'signature', translate(encode(signed.signature, 'base64'), E'+/=\\n', '-_'))) AS signatures
      FROM votes.acts act
      JOIN votes.voting_sessions s ON s.session_id = (act.body::jsonb ->> 'session_id')::uuid
      JOIN votes.act_signatures signed USING (act_hash)
      WHERE act.kind = 'finalise' AND act.agreed_at IS NOT NULL
        AND s.sealed_at IS NOT NULL AND s.final_at IS NULL
      GROUP BY s.session_no, act.act_hash
      ORDER BY act.agreed_at LIMIT 100`,
  });
  return rows.map((row) => ({
    sessionNo: row.session_no,
    body: row.body,
    signatures: row.signatures,
  }));
}
