import { describe, expect, it } from 'vitest';
import { compileAcl } from '#waf/evaluate/compile.ts';
import { type Json, NotModelledError, type WebAcl } from '#waf/evaluate/types.ts';

const rate = { Limit: 10, EvaluationWindowSec: 60, AggregateKeyType: 'IP' };

function ruleOf(changes: Json = {}): Json {
  const block = { CustomResponse: { ResponseCode: 429, CustomResponseBodyKey: 'stop' } };
  const Statement = { RateBasedStatement: rate };
  return { Name: 'flood', Priority: 1, Statement, Action: { Block: block }, ...changes };
}

function aclOf(...rules: Json[]): WebAcl {
  const Content = '{"id":"${awswaf:request_id:}"}';
  return {
    Name: 'vote',
    DefaultAction: { Allow: {} },
    Rules: rules,
    CustomResponseBodies: { stop: { ContentType: 'APPLICATION_JSON', Content } },
  };
}

const from = (address: string, atMs = 0): { address: string; requestId: string; atMs: number } => ({
  address,
  requestId: 'r-1',
  atMs,
});

describe('a rate rule', () => {
  it('allows up to its limit, then blocks with the custom response', () => {
    const acl = compileAcl(aclOf(ruleOf()));
    for (let at = 0; at < 10; at++) expect(acl.evaluate(from('a')).action).toBe('Allow');
    expect(acl.evaluate(from('a'))).toEqual({
      action: 'Block',
      ruleName: 'flood',
      status: 429,
      headers: ['Content-Type', 'application/json'],
      body: '{"id":"r-1"}',
    });
    expect(acl.evaluate(from('b')).action).toBe('Allow');
  });

  it('counts what it blocks, and lets go when the rate falls', () => {
    const acl = compileAcl(aclOf(ruleOf()));
    for (let at = 0; at < 1000; at++) acl.evaluate(from('a'));
    expect(acl.evaluate(from('a', 61_000)).action).toBe('Block');
    expect(acl.evaluate(from('a', 180_000)).action).toBe('Allow');
  });

  it('answers a plain 403 without a custom response', () => {
    const acl = compileAcl(aclOf(ruleOf({ Action: { Block: {} } })));
    for (let at = 0; at < 10; at++) acl.evaluate(from('a'));
    expect(acl.evaluate(from('a'))).toMatchObject({ status: 403, headers: [], body: '' });
  });

  it('is judged in the order of priority, whatever the order of the list', () => {
    const second = ruleOf({ Name: 'second', Priority: 2 });
    const acl = compileAcl(aclOf(second, ruleOf({ Name: 'first' })));
    for (let at = 0; at < 10; at++) acl.evaluate(from('a'));
    expect(acl.evaluate(from('a'))).toMatchObject({ ruleName: 'first' });
  });
});

describe('what is not modelled', () => {
  const cases: [string, Json][] = [
    ['GeoMatchStatement', { Statement: { GeoMatchStatement: { CountryCodes: ['XX'] } } }],
    [
      'ScopeDownStatement',
      { Statement: { RateBasedStatement: { ...rate, ScopeDownStatement: {} } } },
    ],
    [
      'AggregateKeyType CONSTANT',
      { Statement: { RateBasedStatement: { ...rate, AggregateKeyType: 'CONSTANT' } } },
    ],
    ['Count', { Action: { Count: {} } }],
    ['RuleLabels', { RuleLabels: [{ Name: 'x' }] }],
    ['OverrideAction', { OverrideAction: { None: {} } }],
  ];
  for (const [what, changes] of cases) {
    it(`is refused by name: ${what}`, () => {
      const compile = (): unknown => compileAcl(aclOf(ruleOf(changes)));
      expect(compile).toThrow(NotModelledError);
      expect(compile).toThrow(`rule flood: ${what} is not modelled`);
    });
  }

  it('is refused in a body, which would go to a voter with the token in it', () => {
    const acl = aclOf(ruleOf());
    const stop = { ContentType: 'TEXT_PLAIN', Content: '${awswaf:other:}' } as const;
    expect(() => compileAcl({ ...acl, CustomResponseBodies: { stop } })).toThrow(
      'rule flood: the token ${awswaf:other:} is not modelled',
    );
  });

  it('is refused as a default action', () => {
    const acl = { ...aclOf(), DefaultAction: { Block: {} } };
    expect(() => compileAcl(acl)).toThrow(NotModelledError);
  });
});

describe('what AWS would refuse', () => {
  it('is refused: limit, window, body, priorities', () => {
    const withRate = (changes: Json): Json =>
      ruleOf({ Statement: { RateBasedStatement: { ...rate, ...changes } } });
    expect(() => compileAcl(aclOf(withRate({ Limit: 9 })))).toThrow(/Limit must be/);
    expect(() => compileAcl(aclOf(withRate({ EvaluationWindowSec: 61 })))).toThrow(
      /must be one of/,
    );
    expect(() => compileAcl({ ...aclOf(ruleOf()), CustomResponseBodies: {} })).toThrow(
      'there is no body named stop',
    );
    expect(() => compileAcl(aclOf(ruleOf(), ruleOf()))).toThrow('two rules have priority 1');
  });
});
