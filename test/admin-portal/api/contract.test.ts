import { globSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createDocument, type ZodOpenApiPathsObject } from 'zod-openapi';
import { createPortalRouter } from '../../../admin-portal/api/app.ts';
import type { Portal } from '../../../admin-portal/api/portal.ts';

const folder = join(import.meta.dirname, '../../../admin-portal/api');

test('every route has its contract, and every contract its route', async () => {
  const described: string[] = [];
  for (const file of globSync('**/contract.ts', { cwd: folder })) {
    const { paths } = (await import(join(folder, file))) as { paths: ZodOpenApiPathsObject };
    const document = createDocument({
      openapi: '3.1.1',
      info: { title: 'portal', version: '1' },
      paths,
    });
    for (const [path, operations] of Object.entries(document.paths ?? {})) {
      for (const method of Object.keys(operations)) described.push(`${method} ${path}`);
    }
  }
  const router = createPortalRouter({} as Portal);
  const routed = router.stack.flatMap(({ methods, path }) =>
    methods
      .filter((method) => method !== 'HEAD')
      .map((method) => `${method.toLowerCase()} ${String(path).replace(/:(\w+)/g, '{$1}')}`),
  );
  expect(described.toSorted()).toEqual(routed.toSorted());
  expect(described).toHaveLength(17);
});
