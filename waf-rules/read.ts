import { readdirSync, readFileSync } from 'node:fs';
import type { Json, WebAcl } from './evaluate/types.ts';

export type AclName = 'vote' | 'results' | 'portal';

interface AclsFile {
  readonly CustomResponseBodies: WebAcl['CustomResponseBodies'];
  readonly WebACLs: Readonly<
    Record<AclName, { readonly DefaultAction: Json; readonly Rules: readonly string[] }>
  >;
}

/**
 * Reads `acls.json` and the rules that it names: `rules/NNN-name.json`, NNN = priority. Throws
 * when a file's name and content differ, or when a rule lies there that no ACL names.
 */
export function readAcls(
  folder: URL = new URL('.', import.meta.url),
): Readonly<Record<AclName, WebAcl>> {
  const file = readJson(new URL('acls.json', folder)) as AclsFile;
  const rules = readRules(new URL('rules/', folder));
  const used = new Set<string>();
  const acl = (Name: AclName): WebAcl => {
    const { DefaultAction, Rules } = file.WebACLs[Name];
    const named = Rules.map((rule) => {
      const found = rules.get(rule);
      if (found === undefined) throw new Error(`acls.json: there is no rules/${rule}.json`);
      used.add(rule);
      return found;
    });
    return { Name, DefaultAction, Rules: named, CustomResponseBodies: file.CustomResponseBodies };
  };
  const acls = { vote: acl('vote'), results: acl('results'), portal: acl('portal') };
  const unused = [...rules.keys()].filter((rule) => !used.has(rule));
  if (unused.length > 0) throw new Error(`no ACL names rules/${unused.join(', ')}`);
  return acls;
}

function readRules(folder: URL): Map<string, Json> {
  const rules = new Map<string, Json>();
  for (const file of readdirSync(folder)) {
    const [, priority, name] = /^(\d{3})-([a-z0-9-]+)\.json$/.exec(file) ?? [];
    if (priority === undefined) throw new Error(`rules/${file} is not named NNN-name.json`);
    const rule = readJson(new URL(file, folder)) as Json;
    if (rule['Name'] !== name || rule['Priority'] !== Number(priority)) {
      throw new Error(`rules/${file} holds another name or priority than its file name says`);
    }
    rules.set(file.slice(0, -'.json'.length), rule);
  }
  return rules;
}

function readJson(file: URL): unknown {
  return JSON.parse(readFileSync(file, 'utf8'));
}
