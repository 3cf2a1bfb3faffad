import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { createDocument, type ZodOpenApiPathsObject } from 'zod-openapi';
import { errorTable } from '#common/errors.ts';

const folder = `${import.meta.dirname}/../../../regional-core/identity`;
const contracts = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) =>
  path.endsWith('contract.ts'),
);

async function collect(): Promise<ZodOpenApiPathsObject> {
  const modules = await Promise.all(contracts.map((path) => import(`${folder}/${path}`)));
  return Object.assign({}, ...modules.map(({ paths }) => paths as ZodOpenApiPathsObject));
}

test('the contracts make one OpenAPI document with every route of the service', async () => {
  const document = createDocument({
    openapi: '3.1.1',
    info: { title: 'identity', version: '1' },
    paths: await collect(),
  });
  const operations = Object.entries(document.paths ?? {}).flatMap(([path, item]) =>
    Object.keys(item).map((method) => `${method} ${path}`),
  );
  expect(operations.toSorted()).toEqual([
    'get /.well-known/jwks.json',
    'get /api/v1/auth/validate',
    'get /api/v1/sessions',
    'get /api/v1/sessions/{session_id}',
    'post /api/v1/auth/login',
    'post /api/v1/auth/logout',
    'post /api/v1/auth/refresh',
    'post /api/v1/auth/register',
    'post /api/v1/auth/verify',
    'post /api/v1/sessions/{session_id}/ballot',
  ]);
});

test('each error of an operation stands under its own status', async () => {
  for (const item of Object.values(await collect())) {
    for (const { responses } of [item.get, item.post].filter(
      (operation) => operation !== undefined,
    )) {
      for (const [status, response] of Object.entries(responses)) {
        const text = (response as { description: string }).description;
        for (const [, code] of text.matchAll(/`(\w+)`:/g)) {
          expect(errorTable[code as 'not_found'][0]).toBe(Number(status));
        }
      }
    }
  }
});
