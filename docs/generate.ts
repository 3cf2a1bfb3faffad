import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createDocument, type ZodOpenApiPathsObject } from 'zod-openapi';
import type { ConfigSpec } from '#common/config.ts';
import { errorTable } from '#common/errors.ts';

/**
 * The pages that are made from the code: `node docs/generate.ts` writes them, `test/docs.test.ts`
 * fails when one is not what the code says.
 */
const root = join(import.meta.dirname, '..');

/** Page → content, as the code says it now. */
export async function generatedPages(): Promise<ReadonlyMap<string, string>> {
  return new Map([
    ['docs/openapi.json', await openApi()],
    ['docs/errors.md', errors()],
    ['docs/config.md', await configuration()],
    ['docs/metrics.md', metrics()],
  ]);
}

/** What voters' clients may call. The portal's routes are on a host of their own. */
async function openApi(): Promise<string> {
  const paths: ZodOpenApiPathsObject = {};
  for (const file of globSync('{regional-core,captcha}/**/contract.ts', { cwd: root }).toSorted()) {
    const module = (await import(join(root, file))) as { paths?: ZodOpenApiPathsObject };
    Object.assign(paths, module.paths);
  }
  const bearer = (description: string) =>
    ({ type: 'http', scheme: 'bearer', description }) as const;
  const document = createDocument({
    openapi: '3.1.1',
    info: {
      title: 'Realtime vote',
      version: '1',
      description:
        'Every path is also served under /r/{region}, which pins the region. Errors are ' +
        'application/problem+json; a block at the edge has the same members as application/json.',
    },
    paths: Object.fromEntries(Object.entries(paths).toSorted(([a], [b]) => (a < b ? -1 : 1))),
    components: {
      securitySchemes: {
        accessToken: bearer('From POST /auth/login; lives an hour.'),
        ballotToken: bearer('From POST /sessions/{session_id}/ballot.'),
      },
    },
  });
  return `${JSON.stringify(document, null, 2)}\n`;
}

function errors(): string {
  const rows = Object.entries(errorTable).map(
    ([code, [status, retryable, sentence]]) =>
      `| \`${code}\` | ${status} | ${retryable ? 'yes' : 'no'} | ${sentence} |`,
  );
  return [
    '# Errors',
    '',
    'Made from `regional-core/common/errors.ts` by `node docs/generate.ts`. Every error is',
    '`application/problem+json` with `type`, `title`, `status`, `error` (the code), `message`,',
    '`request_id` and `retryable`. A 4xx wrote nothing; `outcome_unknown` means that only the state',
    'of the vote tells how it ended.',
    '',
    '| code | status | retryable | message |',
    '|---|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}

async function configuration(): Promise<string> {
  const files = globSync('{regional-core,admin-portal,local,captcha}/**/config.ts', { cwd: root });
  const sections: string[] = [];
  for (const file of files.toSorted()) {
    const module = (await import(join(root, file))) as Record<string, ConfigSpec>;
    const spec = Object.values(module).find((value) => typeof value === 'object');
    if (spec === undefined || file.includes('common/')) continue;
    const rows = Object.values(spec).map(
      ({ env, doc, fallback }) =>
        `| \`${env}\` | ${fallback === undefined ? 'required' : `\`${fallback || ' '}\``} | ${doc} |`,
    );
    const name = file.replace('/config.ts', '');
    sections.push(`## ${name}`, '', '| key | default | meaning |', '|---|---|---|', ...rows, '');
  }
  return [
    '# Configuration',
    '',
    "Made from each service's `config.ts` by `node docs/generate.ts`. The environment is read once,",
    'at start; a missing, malformed or unknown `VOTE_*` key stops the start. `--print-config` shows',
    'what is in force, secrets left out. Keys that end in `_FILE` name a file that holds the value.',
    '',
    ...sections,
  ].join('\n');
}

/** Read as text: a registry would have to be filled by starting every service. */
function metrics(): string {
  const pattern = /name:\s*'([a-z_]+)',\s*help:\s*(?:'([^']*)'|"([^"]*)")/g;
  const rows = globSync('{regional-core,admin-portal,local,captcha}/**/*metrics.ts', { cwd: root })
    .toSorted()
    .flatMap((file) => {
      const service = dirname(file);
      const found = readFileSync(join(root, file), 'utf8').matchAll(pattern);
      return [...found].map(([, name, one, two]) => `| \`${name}\` | ${service} | ${one ?? two} |`);
    });
  return [
    '# Metrics',
    '',
    "Made from each service's `metrics.ts` by `node docs/generate.ts`. Served on the internal port at",
    "`/metrics`, with the service and its region as labels, beside Node's own.",
    '',
    '| metric | service | meaning |',
    '|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}

if (import.meta.main) {
  for (const [page, content] of await generatedPages()) writeFileSync(join(root, page), content);
}
