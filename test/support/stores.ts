import type { TestProject } from 'vitest/node';
import { startTestPostgres15, startTestStores, type TestStores } from '../../local/test-stores.ts';
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

/** Projects of one run share its stores: the first starts them, the last ends them. */
const run = globalThis as typeof globalThis & {
  voteTestStores?: { readonly started: Promise<TestStores>; users: number };
};

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  run.voteTestStores ??= { started: startTestStores(), users: 0 };
  const shared = run.voteTestStores;
  shared.users++;
  const stores = await shared.started;
  // The ledger is held to two versions of Postgres: its tests run in a project of their own, too.
  const older = project.name === 'postgres-15' ? await startTestPostgres15() : undefined;
  const postgres = older?.postgres ?? stores.postgres;
  const stop = async (): Promise<void> => {
    await older?.stop();
    if (--shared.users === 0) await stores.stop();
  };
  try {
    await createTemplate(postgres);
    await migrate(withDatabase(postgres, templateDatabase));
  } catch (error) {
    await stop();
    throw error;
  }
  project.provide('stores', {
    postgresAdminUrl: postgres,
    redisUrl: stores.redis,
    kafkaBrokers: stores.kafka,
  });
  return stop;
}

function withDatabase(url: string, database: string): string {
  const changed = new URL(url);
  changed.pathname = `/${database}`;
  return changed.href;
}
