import type { Context } from 'koa';

/** Every body here is a few short fields. */
export const bodyBytesMax = 2048;

/** Answers JSON that no cache keeps unless `cacheControl` says otherwise. */
export function answerJson(
  context: Context,
  status: number,
  body: unknown,
  cacheControl = 'no-store',
): void {
  context.status = status;
  context.set('cache-control', cacheControl);
  context.body = JSON.stringify(body);
  context.type = 'application/json';
}
