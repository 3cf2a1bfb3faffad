import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Lab } from '../lab/lab.ts';
import { type LabSession, openSession } from '../lab/session.ts';
import { History } from './history.ts';
import { Voters } from './voters.ts';

/** A session of the lab, its voters, and what they have seen. */
export interface Voting {
  readonly session: LabSession;
  readonly voters: Voters;
  readonly history: History;
  readonly close: () => void;
}

/** Opens a session for so long; the history lies under `name` in the lab's folder. */
export async function openVoting(lab: Lab, name: string, opensForMs: number): Promise<Voting> {
  const session = await openSession(lab, opensForMs);
  const folder = join(lab.ground.folder, 'history');
  await mkdir(folder, { recursive: true });
  const history = new History(join(folder, `${name}.jsonl`));
  const ways = lab.regions.map(({ name: region, frontPort }) => ({ region, port: frontPort }));
  const voters = new Voters(lab.keys, session, ways, history);
  const close = (): void => {
    voters.close();
    history.close();
  };
  return { session, voters, history, close };
}
