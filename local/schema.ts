import { Client, DatabaseError } from 'pg';
import { migrate } from '../regional-core/schema/migrate.ts';

const DUPLICATE_DATABASE = '42P04';

/**
 * Creates the database if it is missing and brings its schema up to date; `url` is a superuser's.
 */
export async function createSchema(url: string): Promise<void> {
  const database = new URL(url).pathname.slice(1);
  const client = new Client({ connectionString: url.replace(/\/[^/]*$/, '/postgres') });
  await client.connect();
  try {
    await client.query(`create database ${client.escapeIdentifier(database)}`);
  } catch (error) {
    if (!(error instanceof DatabaseError) || error.code !== DUPLICATE_DATABASE) throw error;
  } finally {
    await client.end();
  }
  await migrate(url);
}
