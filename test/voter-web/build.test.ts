import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { brotliCompressSync } from 'node:zlib';
import { build } from 'vite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { languages } from '../../voter-web/language.ts';

const root = join(import.meta.dirname, '../../voter-web');
const out = mkdtempSync(join(tmpdir(), 'voter-web-'));
/** The real build, made anew: path → content. */
const files = new Map<string, Buffer>();

beforeAll(async () => {
  await build({ root, logLevel: 'error', build: { outDir: out, emptyOutDir: true } });
  for (const path of readdirSync(out, { recursive: true, encoding: 'utf8' })) {
    const full = join(out, path);
    if (statSync(full).isFile()) files.set(relative(out, full), readFileSync(full));
  }
});
afterAll(() => rmSync(out, { recursive: true, force: true }));

const page = (path: string): string => files.get(path)?.toString('utf8') ?? '';

/** What a page makes the browser fetch: scripts, styles and the icon. */
function references(html: string): string[] {
  const found = [...html.matchAll(/<(?:script|link)\b[^>]*?(?:src|href)="([^"]+)"/g)];
  return found.map((match) => (match[1] ?? '').replace(/^\//, ''));
}

describe.each(Object.entries(languages))('the page in %s', (language, { direction }) => {
  const html = (): string => page(`${language}/index.html`);

  test('is at most 30 kB compressed with its script and style, in at most five requests', () => {
    const fetched = references(html());
    expect(fetched.length + 1).toBeLessThanOrEqual(5);
    const parts = [html(), ...fetched.map((path) => files.get(path) ?? '')];
    expect(parts.every((part) => part.length > 0)).toBe(true);
    const bytes = parts.reduce((sum, part) => sum + brotliCompressSync(part).length, 0);
    expect(bytes).toBeLessThanOrEqual(30_000);
  });

  test('names its language and direction', () => {
    expect(html()).toContain(`<html lang="${language}" dir="${direction}">`);
  });

  test('is usable as HTML: heading, labelled code field, button, landmarks', () => {
    expect(html()).toMatch(/<h1[^>]*><bdi>[^<]+<\/bdi><\/h1>/);
    expect(html()).toMatch(/<label for="code">[^<]+<\/label>/);
    expect(html()).toMatch(/<input id="code"/);
    for (const landmark of ['<header', '<nav', '<main id="main"', '<footer', '<noscript>']) {
      expect(html()).toContain(landmark);
    }
  });

  test('has no script, style or handler inside the page, and nothing from another host', () => {
    expect(html()).not.toMatch(/<script(?![^>]*\bsrc=)/);
    expect(html()).not.toMatch(/<style|\sstyle="|\son\w+="|javascript:/);
    expect(html()).not.toMatch(/https?:\/\//);
  });

  test('carries its catalogue where it is neither shown nor run', () => {
    const template = /<template id="catalogue">([^<]*)<\/template>/.exec(html())?.[1] ?? '';
    const decoded = template.replaceAll('&lt;', '<').replaceAll('&amp;', '&');
    const source = readFileSync(join(root, 'locales', `${language}.json`), 'utf8');
    expect(JSON.parse(decoded)).toEqual(JSON.parse(source));
  });
});

test('the bare address is the English page', () => {
  expect(page('index.html')).toBe(page('en/index.html'));
});

test('assets carry a hash in their names, so that they can be cached for ever', () => {
  const assets = [...files.keys()].filter((path) => path.startsWith('assets/'));
  expect(assets.length).toBeGreaterThanOrEqual(2);
  for (const path of assets) expect(path).toMatch(/-[\w-]{8}\.(js|css)$/);
});

test('the script writes no markup and evaluates no text, so that Trusted Types hold', () => {
  const script = [...files].find(([path]) => path.endsWith('.js'))?.[1].toString('utf8') ?? '';
  expect(script).not.toMatch(/\beval\(|new Function|document\.write|insertAdjacentHTML|outerHTML/);
});

test('the style uses logical properties, so that right-to-left needs no rules of its own', () => {
  const folder = join(root, 'styles');
  const style = readdirSync(folder)
    .map((name) => readFileSync(join(folder, name), 'utf8'))
    .join('\n');
  const physical =
    /^\s*(?:(?:margin|padding|border)-(?:left|right|top|bottom)|left|right|width|height)\s*:/m;
  expect(style).not.toMatch(physical);
});
