import { defineConfig } from 'vitest/config';

const shared = {
  setupFiles: ['test/support/leaks.ts'],
  // A test that hangs says so, and does not take the run's 20 minutes with it.
  testTimeout: 20_000,
  hookTimeout: 60_000,
};

/**
 * unit: no store, no browser. stores: real Kafka, Postgres and Redis, started once for the run.
 * postgres-15: the ledger and its schema once more, on the oldest Postgres they are held to.
 * e2e: Chromium against the whole stack, one file at a time.
 */
export default defineConfig({
  test: {
    // Two cores: more workers only make each other late.
    maxWorkers: 2,
    projects: [
      {
        test: {
          ...shared,
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/**/*.stores.test.ts', 'test/e2e/**'],
        },
      },
      {
        test: {
          ...shared,
          name: 'stores',
          include: ['test/**/*.stores.test.ts'],
          globalSetup: ['test/support/stores.ts'],
        },
      },
      {
        test: {
          ...shared,
          name: 'postgres-15',
          include: ['test/regional-core/ledger/**/*.stores.test.ts'],
          globalSetup: ['test/support/stores.ts'],
        },
      },
      {
        test: {
          ...shared,
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          globalSetup: ['test/support/stack.ts'],
          fileParallelism: false,
          testTimeout: 60_000,
        },
      },
    ],
  },
});
