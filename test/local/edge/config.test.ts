import { describe, expect, it } from 'vitest';
import { parseOrigins } from '../../../local/edge/config.ts';

const services = {
  intake: 'http://127.0.0.1:9101',
  identity: 'http://127.0.0.1:9102',
  results: 'http://127.0.0.1:9103',
  records: 'http://127.0.0.1:9104',
};
const portal = { portal: 'http://127.0.0.1:9105' };

const parse = (value: unknown): unknown => parseOrigins(JSON.stringify(value));

describe('the origins', () => {
  it('are regions in the order given, the first being home, and the portal', () => {
    const origins = parseOrigins(
      JSON.stringify({ portal, 'us-west-2': services, 'us-east-1': services }),
    );
    expect(origins.regions.map(({ name }) => name)).toEqual(['us-west-2', 'us-east-1']);
    expect(origins.regions[0]!.services['records']!.port).toBe('9104');
    expect(origins.portal.port).toBe('9105');
  });

  it('are refused with the place of the fault', () => {
    const { records: _, ...three } = services;
    expect(() => parse({ portal, 'us-east-1': three })).toThrow('lacks us-east-1.records');
    expect(() => parse({ 'us-east-1': services })).toThrow('lacks portal.portal');
    expect(() => parse({ portal })).toThrow(/names no region/);
    expect(() => parse({ portal, 'US/1': services })).toThrow(/has a region "US\/1"/);
    const extra = { ...services, ledger: 'http://127.0.0.1:1' };
    expect(() => parse({ portal, 'us-east-1': extra })).toThrow(/a service "ledger"/);
    const wrong = { ...services, intake: 'https://127.0.0.1:1' };
    expect(() => parse({ portal, 'us-east-1': wrong })).toThrow(
      'us-east-1.intake must be http://host:port, not "https://127.0.0.1:1"',
    );
    expect(() => parseOrigins('{')).toThrow(/is not JSON/);
    expect(() => parseOrigins('[]')).toThrow(/must be a JSON object/);
  });
});
