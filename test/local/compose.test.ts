import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { loadConfig } from '#common/config.ts';
import { parseOrigins } from '../../local/edge/config.ts';
import { loadKeys, serviceKinds } from '../../local/services.ts';
import { root } from '../../local/tools.ts';

interface Container {
  readonly image: string;
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, unknown>>;
  readonly volumes?: readonly string[];
  readonly ports?: readonly string[];
  readonly depends_on?: Readonly<Record<string, { condition: string }>>;
}

const compose: { services: Record<string, Container>; volumes: Record<string, unknown> } = parse(
  readFileSync(join(root, 'compose.yaml'), 'utf8'),
  { merge: true },
);
const stores = ['kafka', 'postgres', 'redis'];
const services = Object.entries(compose.services).filter(
  ([name]) => name !== 'init' && !stores.includes(name),
);

test('compose runs the stores, one preparation and exactly the services of npm start', () => {
  const names = serviceKinds.map(({ name }) => name);
  expect(Object.keys(compose.services).toSorted()).toEqual(
    [...names, ...stores, 'init'].toSorted(),
  );
});

test.each(serviceKinds)('$name is started with the keys it lists and lacks none', async (kind) => {
  const { all, required } = await loadKeys(kind);
  const container = compose.services[kind.name];
  expect(container?.command).toEqual(['node', `${kind.folder}/main.ts`]);
  const given = Object.keys(container?.environment ?? {});
  expect(
    given.filter((key) => !all.includes(key)),
    'keys it does not know',
  ).toEqual([]);
  expect(
    required.filter((key) => !given.includes(key)),
    'keys it needs',
  ).toEqual([]);
});

test('every value is text: YAML would make numbers and booleans of some', () => {
  for (const [name, { environment = {} }] of Object.entries(compose.services)) {
    for (const [key, value] of Object.entries(environment)) {
      expect(typeof value, `${name} ${key}`).toBe('string');
    }
  }
});

test('every file named lies in a volume that is mounted, every address names a container', () => {
  for (const [name, { environment = {}, volumes = [] }] of services) {
    for (const [key, value] of Object.entries(environment)) {
      if (key.endsWith('_FILE')) {
        expect(value, `${name} ${key}`).toMatch(/^\/secrets\/[\w.-]+$/);
        expect(volumes).toContain('secrets:/secrets:ro');
      }
      const host = /^(?:redis|postgres|smtp):\/\/(?:\w+@)?([\w-]+):/.exec(String(value))?.[1];
      if (host !== undefined) expect(Object.keys(compose.services)).toContain(host);
    }
  }
});

test('a database role is the service that uses it', () => {
  for (const [name, { environment = {} }] of services) {
    const url = environment['VOTE_POSTGRES_URL'];
    if (typeof url === 'string') expect(new URL(url).username).toBe(name);
  }
});

test('the edge reads its origins, and all of them are containers', () => {
  const text = String(compose.services['edge']?.environment?.['VOTE_EDGE_ORIGINS']);
  const { regions, portal } = parseOrigins(text);
  const hosts = regions.flatMap(({ services: own }) =>
    Object.values(own).map((url) => url.hostname),
  );
  for (const host of [...hosts, portal.hostname]) {
    expect(Object.keys(compose.services)).toContain(host);
  }
});

test('only the edge and the mailbox are published, on this machine alone', () => {
  const published = Object.entries(compose.services).filter(([, { ports }]) => ports !== undefined);
  expect(published.map(([name]) => name).toSorted()).toEqual(['edge', 'mailbox']);
  for (const [, { ports = [] }] of published) {
    for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:/);
  }
});

test('the mailbox takes its values as they stand', async () => {
  const { config } = await import('../../local/mailbox/config.ts');
  const environment = compose.services['mailbox']?.environment ?? {};
  const env = Object.fromEntries(
    Object.entries(environment).map(([key, value]) => [key, String(value)]),
  );
  expect(loadConfig(config, env).smtpPort).toBe(2525);
});

test('the image copies every folder that a service lives in', () => {
  const dockerfile = readFileSync(join(root, 'Dockerfile'), 'utf8');
  const production = dockerfile.slice(dockerfile.indexOf('AS service'));
  for (const { folder } of serviceKinds.filter((kind) => !kind.folder.startsWith('local/'))) {
    const top = folder.startsWith('regional-core/') ? 'regional-core' : folder;
    expect(production).toContain(`COPY ${top} ${top}\n`);
  }
});
