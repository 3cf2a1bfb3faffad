import { generateKeyPairSync } from 'node:crypto';
import { actBody, actHash, signAct } from '#common/contracts/act.ts';
import { parseSigningKey, type SigningKey } from '#common/keys.ts';
import { type Recount, recountSession } from '../../../local/cli/recount/recount-session.ts';
import type { Scenario } from '../scenario.ts';
import type { Stage } from '../stage.ts';
import { expectSealed } from './closing.ts';

const f58: Scenario = {
  id: 'F58',
  fault: 'lossy failover after the final result',
  done: () =>
    'replica cut off before closing; sealed, recounted, two keys sign, final; kill -9 of the primary, promotion: all of it is lost and must come back from Kafka',
  closesInS: () => 12,
  run: async (stage) => {
    const { postgres } = stage.lab;
    const people = await registerPeople(stage);
    await stage.loadFor(5);
    await postgres.stopReplication();
    await stage.loadFor(5);
    await expectSealed(stage);
    await finalise(stage, await recount(stage), people);
    const before = await untilFinal(stage);
    await postgres.killPrimary();
    await postgres.promote();
    const lost = await finalDigest(stage);
    postgres.moveAddress();
    stage.healed();
    const after = await untilFinal(stage);
    stage.expect(
      'the final result was lost',
      lost === undefined,
      lost ?? 'not there after promotion',
    );
    const isAgain = before !== undefined && before === after;
    stage.expect('the same result is final again', isAgain, `${before} → ${after}`);
    stage.note(`digest ${after?.slice(0, 12)}`);
  },
};

const f60: Scenario = {
  id: 'F60',
  fault: 'recounts: rows, tallies, Kafka in two random orders',
  done: () =>
    'two regions, 1 % of voters choose otherwise in each at once; sealed; recounted twice; the audit store is not there: Kafka stands in',
  needs: { regions: 2 },
  closesInS: () => 20,
  run: async (stage) => {
    const load = stage.load({ patienceMs: 4000 });
    const [one, two] = stage.lab.regions.map(({ name }) => name) as [string, string];
    for (let pair = 0; pair < stage.pick(10, 30); pair += 1) {
      const voter = stage.voters.make();
      await Promise.all([
        stage.voters.vote(voter, 0, [one], 3000),
        stage.voters.vote(voter, 1, [two], 3000),
      ]);
      await stage.seconds(0.3);
    }
    await load.end();
    await expectSealed(stage);
    stage.healed();
    await expectOneDigest(stage);
  },
};

export const finalScenarios: readonly Scenario[] = [f58, f60];

const finalMsMax = 60_000;

/** Rows, tallies, and Kafka read twice in random orders must agree about a sealed session. */
export async function expectOneDigest(stage: Stage): Promise<void> {
  const first = await recount(stage, 1);
  const second = await recount(stage, 2);
  const digests = [first.rows, first.kafka, second.kafka].map((source) => source?.digest);
  const isOne = new Set(digests).size === 1 && digests[0] !== undefined;
  stage.expect('all recounts have one digest', isOne, digests.join(' '));
  const differences = [...first.differences, ...second.differences];
  stage.expect('and no difference', differences.length === 0, differences.join('; '));
  stage.note(`${first.rows?.total} votes, digest ${digests[0]?.slice(0, 12)}`);
}

function recount(stage: Stage, seed?: number): Promise<Recount> {
  const { lab, session } = stage;
  const regions = lab.regions.map(({ name, kafka }) => ({ name, kafka: kafka.addresses[0]! }));
  return recountSession(
    { regions, topicPrefix: '', postgres: lab.postgres.superuserUrl },
    session.sessionId,
    { sources: ['rows', 'tallies', 'kafka'], seed },
  );
}

interface Person {
  readonly key: SigningKey;
  readonly admin: string;
}

/** Two people whose keys are known long before they sign. */
async function registerPeople({ lab }: Stage): Promise<readonly Person[]> {
  const people: Person[] = [];
  for (const key of [newKey(), newKey()]) {
    // Nobody logs in as them; nobody made their accounts, so that they are two people.
    const [row] = await lab.postgres.run<{ admin_id: string }>(
      `INSERT INTO portal.admins (email, password_hash, role) VALUES ($1, '', 'admin')
       RETURNING admin_id`,
      [`${key.kid}@lab.example`.toLowerCase()],
    );
    const admin = row!.admin_id;
    await lab.postgres.run('SELECT votes.register_approval_key($1, $2, $3)', [
      key.kid,
      key.publicJwk.x,
      admin,
    ]);
    people.push({ key, admin });
  }
  return people;
}

/** As two people do with `npm run finalise`, without the portal between. */
async function finalise(
  stage: Stage,
  { rows, kafka, covers }: Recount,
  people: readonly Person[],
): Promise<void> {
  const { lab, session } = stage;
  if (rows === undefined || kafka === undefined) throw new Error('the recount is not whole');
  const numbers = Object.entries(covers).map(([log, next]) => [log, next.map(Number)] as const);
  const [row] = await lab.postgres.run<{ version: number }>(
    'SELECT version FROM votes.voting_sessions WHERE session_id = $1',
    [session.sessionId],
  );
  const body = actBody({
    act: 'finalise',
    session_id: session.sessionId,
    session_version: row!.version,
    digest: rows.digest,
    total: rows.total,
    counts: rows.counts,
    recounts: { rows: rows.digest, tallies: 'equal', kafka: kafka.digest },
    covers: Object.fromEntries(numbers),
  });
  const hash = Buffer.from(actHash(body), 'hex');
  await lab.postgres.run(
    `INSERT INTO votes.acts (act_hash, kind, body, proposed_by) VALUES ($1, 'finalise', $2, 'lab-0')`,
    [hash, body],
  );
  for (const { key, admin } of people) {
    const { kid, signature } = signAct(body, key);
    await lab.postgres.run('SELECT votes.sign_act($1, $2, $3, $4)', [
      hash,
      admin,
      kid,
      Buffer.from(signature, 'base64url'),
    ]);
  }
}

function newKey(): SigningKey {
  const { privateKey } = generateKeyPairSync('ed25519');
  return parseSigningKey(JSON.stringify(privateKey.export({ format: 'jwk' })));
}

/** The digest of the final statement in Postgres; undefined while there is none. */
async function finalDigest({ lab, session }: Stage): Promise<string | undefined> {
  const [row] = await lab.postgres.run<{ statement: Buffer | null }>(
    'SELECT final_statement AS statement FROM votes.voting_sessions WHERE session_id = $1',
    [session.sessionId],
  );
  return /"digest\\?":\\?"([0-9a-f]{64})/.exec(row?.statement?.toString() ?? '')?.[1];
}

/** Waits for the final statement, a minute at most. */
async function untilFinal(stage: Stage): Promise<string | undefined> {
  const untilMs = performance.now() + finalMsMax;
  for (;;) {
    const digest = await finalDigest(stage);
    if (digest !== undefined || performance.now() > untilMs) return digest;
    await stage.seconds(0.2);
  }
}
