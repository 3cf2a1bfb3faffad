import type { TestProject } from 'vitest/node';
import { startTestStores } from '../../local/test-stores.ts';
import { migrate } from '../../regional-core/schema/migrate.ts';
import { createTemplate, templateDatabase } from './database.ts';

/** What the run's one set of stores is reached by: `inject('stores')` in a test. */
export interface InjectedStores {
  /** Superuser's URL of the database `postgres`. */
  readonly postgresAdminUrl: string;
  readonly redisUrl: string;
  /** `host:port` */
  readonly kafkaBrokers: string;
}

declare module 'vitest' {
  export interface ProvidedContext {
    stores: InjectedStores;
  }
}

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const stores = await startTestStores();
  try {
    await createTemplate(stores.postgres);
    await migrate(withDatabase(stores.postgres, templateDatabase));
  } catch (error) {
    await stores.stop();
    throw error;
  }
  project.provide('stores', {
    postgresAdminUrl: stores.postgres,
    redisUrl: stores.redis,
    kafkaBrokers: stores.kafka,
  });
  return () => stores.stop();
}

function withDatabase(url: string, database: string): string {
  const changed = new URL(url);
  changed.pathname = `/${database}`;
  return changed.href;
}
