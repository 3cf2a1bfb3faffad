import { RateWindow } from './rate-window.ts';
import {
  type CustomResponse,
  type Json,
  type JudgedRequest,
  NotModelledError,
  type ResponseBody,
  type Verdict,
  type WebAcl,
} from './types.ts';

/** A web ACL ready to judge. Holds the counts of its rate rules, nothing else. */
export interface Evaluator {
  readonly name: string;
  readonly evaluate: (request: JudgedRequest) => Verdict;
}

interface CompiledRule {
  readonly matches: (request: JudgedRequest) => boolean;
  readonly block: (request: JudgedRequest) => Verdict;
}

const allow: Verdict = { action: 'Allow' };
const contentTypes = {
  APPLICATION_JSON: 'application/json',
  TEXT_HTML: 'text/html',
  TEXT_PLAIN: 'text/plain',
} as const;
const requestIdToken = '${awswaf:request_id:}';
const keysMax = 50_000;
const windowsS: readonly unknown[] = [60, 120, 300, 600];

/**
 * Makes an evaluator of a web ACL: rules in ascending priority, the first match ends. Throws a
 * NotModelledError for a statement, action or key that is not modelled, and a plain Error for a
 * rule that AWS would refuse as well.
 */
export function compileAcl(acl: WebAcl): Evaluator {
  if (!isOnly(acl.DefaultAction, 'Allow') || !isOnly(acl.DefaultAction['Allow'])) {
    throw new NotModelledError('DefaultAction', 'anything but a plain Allow');
  }
  const byPriority = acl.Rules.toSorted((a, b) => Number(a['Priority']) - Number(b['Priority']));
  const rules = byPriority.map((rule, index) => {
    if (rule['Priority'] === byPriority[index - 1]?.['Priority']) {
      throw new Error(
        `${String(rule['Name'])}: two rules have priority ${String(rule['Priority'])}`,
      );
    }
    return compileRule(rule, acl.CustomResponseBodies);
  });
  return {
    name: acl.Name,
    evaluate: (request) => {
      for (const rule of rules) if (rule.matches(request)) return rule.block(request);
      return allow;
    },
  };
}

function compileRule(rule: Json, bodies: WebAcl['CustomResponseBodies']): CompiledRule {
  const name = String(rule['Name']);
  refuseOthers(name, rule, ['Name', 'Priority', 'Statement', 'Action', 'VisibilityConfig']);
  return {
    matches: compileStatement(name, rule['Statement']),
    block: compileBlock(name, rule['Action'], bodies),
  };
}

function compileStatement(name: string, statement: unknown): CompiledRule['matches'] {
  if (!isObject(statement)) throw new Error(`rule ${name}: Statement is missing`);
  refuseOthers(name, statement, ['RateBasedStatement']);
  const rate = statement['RateBasedStatement'];
  if (!isObject(rate)) throw new Error(`rule ${name}: Statement is empty`);
  refuseOthers(name, rate, ['Limit', 'EvaluationWindowSec', 'AggregateKeyType']);
  if (rate['AggregateKeyType'] !== 'IP') {
    throw new NotModelledError(name, `AggregateKeyType ${String(rate['AggregateKeyType'])}`);
  }
  const limit = rate['Limit'];
  const windowS = rate['EvaluationWindowSec'] ?? 300;
  if (typeof limit !== 'number' || !Number.isInteger(limit) || limit < 10 || limit > 2e9) {
    throw new Error(`rule ${name}: Limit must be a whole number from 10 to 2,000,000,000`);
  }
  if (!windowsS.includes(windowS)) {
    throw new Error(`rule ${name}: EvaluationWindowSec must be one of ${windowsS.join(', ')}`);
  }
  const window = new RateWindow(Number(windowS) * 1000, keysMax);
  return (request) => window.add(request.address, request.atMs) > limit;
}

function compileBlock(
  name: string,
  action: unknown,
  bodies: WebAcl['CustomResponseBodies'],
): CompiledRule['block'] {
  if (!isObject(action)) throw new Error(`rule ${name}: Action is missing`);
  refuseOthers(name, action, ['Block']);
  const block = action['Block'];
  if (!isObject(block)) throw new Error(`rule ${name}: Action is empty`);
  refuseOthers(name, block, ['CustomResponse']);
  const response = (block['CustomResponse'] ?? { ResponseCode: 403 }) as CustomResponse;
  refuseOthers(name, { ...response }, ['ResponseCode', 'CustomResponseBodyKey', 'ResponseHeaders']);
  const body = bodyOf(name, response, bodies);
  const headers = (response.ResponseHeaders ?? []).flatMap((header) => [header.Name, header.Value]);
  if (body !== undefined) headers.push('Content-Type', contentTypes[body.ContentType]);
  const parts = (body?.Content ?? '').split(requestIdToken);
  return (request) => ({
    action: 'Block',
    ruleName: name,
    status: response.ResponseCode,
    headers,
    body: parts.join(request.requestId),
  });
}

function bodyOf(
  name: string,
  response: CustomResponse,
  bodies: WebAcl['CustomResponseBodies'],
): ResponseBody | undefined {
  const key = response.CustomResponseBodyKey;
  if (key === undefined) return undefined;
  const body = bodies[key];
  if (body === undefined) throw new Error(`rule ${name}: there is no body named ${key}`);
  // Other tokens would go out as they stand, to a voter.
  const other = body.Content.replaceAll(requestIdToken, '').match(/\$\{[^}]*\}/)?.[0];
  if (other !== undefined) throw new NotModelledError(name, `the token ${other}`);
  return body;
}

function refuseOthers(name: string, value: Json, known: readonly string[]): void {
  const other = Object.keys(value).find((key) => !known.includes(key));
  if (other !== undefined) throw new NotModelledError(name, other);
}

function isOnly(value: unknown, ...keys: readonly string[]): value is Json {
  return isObject(value) && Object.keys(value).join() === keys.join();
}

function isObject(value: unknown): value is Json {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}
