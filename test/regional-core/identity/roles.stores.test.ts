import { Client } from 'pg';
import { afterAll, expect, test } from 'vitest';
import { createTestDatabase } from '../../support/database.ts';

const database = await createTestDatabase();

async function connect(role: Parameters<typeof database.url>[0]): Promise<Client> {
  const client = new Client({ connectionString: database.url(role) });
  await client.connect();
  afterAll(() => client.end());
  return client;
}

const identity = await connect('identity');
const others = {
  ledger: await connect('ledger'),
  publisher: await connect('publisher'),
  records: await connect('records'),
  portal: await connect('portal'),
};

test.each(['votes', 'tallies', 'verdicts', 'vote_conflicts', 'late_votes', 'quarantined_records'])(
  'identity, which knows the voters, cannot read votes.%s',
  async (table) => {
    await expect(identity.query(`SELECT FROM votes.${table}`)).rejects.toMatchObject({
      code: '42501',
    });
  },
);

test.each(['ledger', 'publisher', 'records', 'portal'] as const)(
  '%s cannot read who the voters are',
  async (role) => {
    const client = others[role];
    for (const table of ['users', 'voter_ids', 'registrations', 'logins', 'session_secrets']) {
      await expect(client.query(`SELECT FROM identity.${table}`)).rejects.toMatchObject({
        code: '42501',
      });
    }
  },
);

test('identity cannot change a voter id, a secret or a session', async () => {
  for (const statement of [
    "UPDATE identity.users SET voter_id = ''",
    'DELETE FROM identity.voter_ids',
    "UPDATE identity.session_secrets SET wrapped = ''",
    'UPDATE votes.voting_sessions SET version = 9',
    'DELETE FROM votes.ballot_keys',
  ]) {
    await expect(identity.query(statement)).rejects.toMatchObject({ code: '42501' });
  }
});
