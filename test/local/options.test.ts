import { expect, test } from 'vitest';
import { parseOptions } from '../../local/options.ts';

test('without options one region runs in the foreground', () => {
  expect(parseOptions([])).toEqual({
    detach: false,
    clean: false,
    demo: false,
    regions: ['us-east-1'],
    durability: 'single',
  });
});

test('every option is understood, in both forms of a value', () => {
  expect(parseOptions(['--detach', '--clean', '--demo', '--regions', '2'])).toEqual({
    detach: true,
    clean: true,
    demo: true,
    regions: ['us-east-1', 'us-west-2'],
    durability: 'single',
  });
  expect(parseOptions(['--regions=2']).regions).toHaveLength(2);
  const both = parseOptions(['--regions=2', '--durability', 'two-regions']);
  expect(both.durability).toBe('two-regions');
});

test('copies in two regions need two regions, and another word is refused', () => {
  expect(() => parseOptions(['--durability=two-regions'])).toThrow(/needs --regions 2/);
  expect(() => parseOptions(['--durability=region'])).toThrow(/must be single or two-regions/);
});

test.each(['0', '3', 'two', '1.5', ''])('"%s" regions are refused with the bounds', (count) => {
  expect(() => parseOptions([`--regions=${count}`])).toThrow(/--regions must be 1 to 2/);
});

test('an unknown option is refused by name, with the options there are', () => {
  expect(() => parseOptions(['--deatch'])).toThrow(/'--deatch'[^]*--detach/);
  expect(() => parseOptions(['now'])).toThrow(/now/);
});
