import { cpSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { compileAcl } from '#waf/evaluate/compile.ts';
import { readAcls } from '#waf/read.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(`${tmpdir()}/waf-rules-`);
  const from = fileURLToPath(new URL('../../waf-rules/', import.meta.url));
  cpSync(`${from}acls.json`, `${folder}/acls.json`);
  cpSync(`${from}rules`, `${folder}/rules`, { recursive: true });
});
afterEach(() => rmSync(folder, { recursive: true }));

const read = (): unknown => readAcls(pathToFileURL(`${folder}/`));

describe('the rule files', () => {
  it('make three web ACLs that the evaluator takes whole', () => {
    for (const acl of Object.values(readAcls())) {
      const evaluator = compileAcl(acl);
      expect(evaluator.evaluate({ address: '192.0.2.1', requestId: 'r', atMs: 0 })).toEqual({
        action: 'Allow',
      });
    }
  });

  it('let 5,000 voters behind one address vote within a minute, four requests each', () => {
    const evaluator = compileAcl(readAcls().vote);
    for (let at = 0; at < 20_000; at++) {
      const request = { address: '192.0.2.1', requestId: 'r', atMs: at * 3 };
      expect(evaluator.evaluate(request).action).toBe('Allow');
    }
  });

  it('answer a block with the shape of every error of ours, in 4 kB', () => {
    for (const { CustomResponseBodies } of Object.values(readAcls())) {
      for (const { Content } of Object.values(CustomResponseBodies)) {
        expect(Buffer.byteLength(Content)).toBeLessThanOrEqual(4096);
        expect(JSON.parse(Content)).toMatchObject({
          error: expect.any(String) as unknown,
          message: expect.any(String) as unknown,
          request_id: '${awswaf:request_id:}',
          retryable: expect.any(Boolean) as unknown,
          rule: expect.stringMatching(/^W\d{3}$/) as unknown,
        });
      }
    }
  });

  it('must be named by their number and name', () => {
    renameSync(`${folder}/rules/100-address-flood.json`, `${folder}/rules/200-address-flood.json`);
    expect(read).toThrow(/holds another name or priority/);
    renameSync(`${folder}/rules/200-address-flood.json`, `${folder}/rules/flood.json`);
    expect(read).toThrow(/is not named NNN-name\.json/);
  });

  it('must be used by an ACL, and an ACL must find its rules', () => {
    writeFileSync(`${folder}/rules/900-idle.json`, '{"Name":"idle","Priority":900}');
    expect(read).toThrow('no ACL names rules/900-idle');
    rmSync(`${folder}/rules`, { recursive: true });
    cpSync(fileURLToPath(new URL('.', import.meta.url)), `${folder}/rules`, {
      recursive: true,
      filter: (path) => !path.endsWith('.ts') && !path.endsWith('evaluate'),
    });
    expect(read).toThrow('acls.json: there is no rules/100-address-flood.json');
  });
});
