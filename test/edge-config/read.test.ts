import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readEdgeConfig } from '../../edge-config/read.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(`${tmpdir()}/edge-config-`);
  for (const file of ['behaviors.json', 'headers.json']) {
    cpSync(new URL(`../../edge-config/${file}`, import.meta.url), `${folder}/${file}`);
  }
});
afterEach(() => rmSync(folder, { recursive: true }));

function change(file: string, from: string, to: string): void {
  const text = readFileSync(`${folder}/${file}`, 'utf8');
  expect(text).toContain(from);
  writeFileSync(`${folder}/${file}`, text.replace(from, to));
}

const read = (): unknown => readEdgeConfig(pathToFileURL(`${folder}/`));

describe('reading the edge data', () => {
  it('refuses a key that is not known, naming file and key', () => {
    change('behaviors.json', '"ErrorCachingMinTTL"', '"ErrorCachingMinTTl"');
    expect(read).toThrow(/behaviors\.json is not usable[^]*ErrorCachingMinTTl/);
  });

  it('refuses a status that is no fault of a region as a reason to fail over', () => {
    change('behaviors.json', '[500, 502', '[404, 502');
    expect(read).toThrow(/StatusCodes/);
  });

  it('refuses a pattern that this reader and CloudFront would read differently', () => {
    change('behaviors.json', '"/api/v1/auth/*"', '"/api/v1/auth?*"');
    expect(read).toThrow(/PathPattern/);
  });

  it('refuses an unknown response header setting', () => {
    change('headers.json', '"ContentTypeOptions"', '"ContentTypeOption"');
    expect(read).toThrow(/headers\.json is not usable/);
  });
});
