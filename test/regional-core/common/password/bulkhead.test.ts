import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { createBulkhead } from '#common/password/bulkhead.ts';

test('never more run at once than may, each runs once, in the order they came', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.scheduler(),
      fc.integer({ min: 1, max: 4 }),
      fc.array(fc.boolean(), { maxLength: 20 }),
      async (scheduler, parallelMax, outcomes) => {
        const bulkhead = createBulkhead(parallelMax, 20, () => 0);
        const begun: number[] = [];
        let running = 0;
        const all = outcomes.map((fails, index) =>
          bulkhead.run(async () => {
            begun.push(index);
            running += 1;
            expect(running).toBeLessThanOrEqual(parallelMax);
            await scheduler.schedule(Promise.resolve());
            running -= 1;
            if (fails) throw new Error('failed');
          }),
        );
        const settled = Promise.allSettled(all);
        await scheduler.waitIdle();
        const results = await settled;
        expect(results.map(({ status }) => status === 'rejected')).toEqual(outcomes);
        expect(begun).toEqual(outcomes.map((_, index) => index));
        expect(bulkhead.waiting).toBe(0);
      },
    ),
    { numRuns: 50 },
  );
});

test('whoever finds the line full is refused without having begun', async () => {
  const bulkhead = createBulkhead(1, 1, () => 0.5);
  let release = (): void => undefined;
  const first = bulkhead.run(
    () =>
      new Promise<void>((resolve) => {
        release = resolve;
      }),
  );
  const second = bulkhead.run(async () => 'second');
  expect(bulkhead.waiting).toBe(1);
  let hasBegun = false;
  const third = bulkhead.run(async () => {
    hasBegun = true;
  });
  await expect(third).rejects.toMatchObject({ code: 'overloaded', retryAfterS: 3 });
  expect(hasBegun).toBe(false);
  release();
  await first;
  expect(await second).toBe('second');
});
