// What `docker compose up` needs once before the services: secrets, schema, topics.
// Arguments: folder of the secrets, superuser's Postgres URL, Kafka broker (host:port), region.

import { createSchema } from '../schema.ts';
import { makeSecrets } from '../secrets.ts';

const [folder, postgresUrl, broker, region] = process.argv.slice(2);
if (!folder || !postgresUrl || !broker || !region) {
  throw new Error('usage: init.ts SECRETS_FOLDER POSTGRES_URL KAFKA_BROKER REGION');
}
const { admin, second } = await makeSecrets(folder, [region]);
await createSchema(postgresUrl);
process.argv.splice(2, Infinity, broker);
await import('../kafka/create-topics.ts');
console.log("The portal's first admins, who can decide together:");
for (const { email, password } of [admin, second]) console.log(`  ${email}  ${password}`);
