import { randomUUID } from 'node:crypto';
import type { Lab } from './lab.ts';

export interface LabSession {
  readonly sessionId: string;
  /** By option number. The rule of the seal compares the ids, which sort otherwise. */
  readonly optionIds: readonly string[];
  readonly closesAtMs: number;
}

const optionIds = ['mango', 'apple', 'zebra', 'kiwi'];
const openedAgoMs = 60_000;

/** An open session, made as the portal makes one, without the portal. */
export async function openSession(lab: Lab, closesInMs: number): Promise<LabSession> {
  const sessionId = randomUUID();
  const list = optionIds.map((id, number) => ({ option_id: id, label: `Option ${number}` }));
  const closesAtMs = Date.now() + closesInMs;
  await lab.postgres.run(
    `WITH made AS (
       INSERT INTO votes.voting_sessions
         (session_id, title, options, opens_at, closes_at, eligibility, results_policy, created_by)
       VALUES ($1, 'Faults', $2, $3, $4, '{code}', 'live', 'lab') RETURNING session_no)
     SELECT votes.create_vote_table(session_no) FROM made`,
    [sessionId, JSON.stringify(list), new Date(Date.now() - openedAgoMs), new Date(closesAtMs)],
  );
  return { sessionId, optionIds, closesAtMs };
}
