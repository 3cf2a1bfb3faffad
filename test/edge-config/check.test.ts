import { describe, expect, it } from 'vitest';
import { checkEdgeConfig } from '../../edge-config/check.ts';
import { type BehaviorData, type EdgeConfig, readEdgeConfig } from '../../edge-config/read.ts';

/** The real data with one change, and what the check says of it. */
function faultsAfter(change: (config: EdgeConfig) => void, regions = 2): readonly string[] {
  const config = readEdgeConfig();
  change(config);
  return checkEdgeConfig(config, regions);
}

function behavior(config: EdgeConfig, pattern: string): BehaviorData {
  return config.Distributions.vote.Behaviors.find((one) => one.PathPattern === pattern)!;
}

describe('the edge data', () => {
  it('has no fault, with one region and with three', () => {
    expect(checkEdgeConfig(readEdgeConfig(), 1)).toEqual([]);
    expect(checkEdgeConfig(readEdgeConfig(), 3)).toEqual([]);
  });
});

describe('the check', () => {
  it('finds a POST that would be cached', () => {
    const faults = faultsAfter((config) => {
      behavior(config, '/api/v1/votes').CachePolicy = 'Snapshot';
    });
    expect(faults).toContain('vote /api/v1/votes: a behaviour that takes POST must not be cached');
    expect(faults).toContain('vote /api/v1/votes is own data and must not be cached');
  });

  it('finds a POST with an origin group', () => {
    const faults = faultsAfter((config) => {
      behavior(config, '/api/v1/auth/*').TargetOriginId = 'group/identity';
    });
    expect(faults).toContain('vote /api/v1/auth/*: CloudFront refuses POST with an origin group');
  });

  it('finds own data that would be cached', () => {
    for (const pattern of ['/api/v1/votes/*', '/api/v1/results/*/voted']) {
      const faults = faultsAfter((config) => {
        behavior(config, pattern).CachePolicy = 'OriginDecides';
      });
      expect(faults).toContain(`vote ${pattern} is own data and must not be cached`);
    }
  });

  it('finds a bearer token that a policy drops', () => {
    const faults = faultsAfter((config) => {
      behavior(config, '/api/v1/votes/*').OriginRequestPolicy = 'stream';
    });
    expect(faults).toEqual(['vote /api/v1/votes/* needs Authorization, which stream drops on GET']);
  });

  it('finds a route without a behaviour of its own, and one hidden by an earlier pattern', () => {
    const removed = faultsAfter((config) => {
      const all = config.Distributions.vote.Behaviors;
      all.splice(all.indexOf(behavior(config, '/api/v1/votes/*')), 1);
    });
    expect(removed).toContain('vote GET /api/v1/votes/* must reach group/records');
    const hidden = faultsAfter((config) => {
      const all = config.Distributions.vote.Behaviors;
      all.unshift(behavior(config, '/api/v1/sessions/*'));
    });
    expect(hidden).toContain('vote POST /api/v1/sessions/*/ballot must reach home/identity');
  });

  it('finds more behaviours than CloudFront takes', () => {
    expect(faultsAfter(() => {}, 7)).toContain('vote: 83 behaviours, 75 at most');
  });

  it('finds names that are not there and sets of methods that CloudFront has not', () => {
    const faults = faultsAfter((config) => {
      const one = behavior(config, '/api/v1/sessions');
      one.AllowedMethods = ['GET', 'POST'];
      one.CachePolicy = 'None';
      one.OriginRequestPolicy = 'None';
      one.ResponseHeadersPolicy = 'None';
      one.TargetOriginId = 'home/none';
    });
    for (const fault of [
      'no such CachePolicy',
      'no such OriginRequestPolicy',
      'no such ResponseHeadersPolicy',
      'no such origin',
      'CloudFront has no such set of methods',
    ]) {
      expect(faults).toContain(`vote /api/v1/sessions: ${fault}`);
    }
  });

  it('finds a service behind the default behaviour', () => {
    const faults = faultsAfter((config) => {
      config.Distributions.results.Behaviors.at(-1)!.TargetOriginId = 'group/results';
    });
    expect(faults).toEqual(['results: "*" must serve files']);
  });

  it('finds a default behaviour that is not the last', () => {
    const faults = faultsAfter((config) => {
      config.Distributions.portal.Behaviors.reverse();
    });
    expect(faults).toContain('portal: the last must be "*"');
  });
});
