import { expect, test } from 'vitest';
import { ownFirst, regionsKey } from '../../../../regional-core/identity/ballot/regions.ts';

const { parse } = regionsKey('VOTE_REGIONS', 'Regions.');

test('regions are read as name=url, without a trailing slash', () => {
  expect(parse('a=http://localhost:1/r/a, b=https://b.example/')).toEqual([
    { name: 'a', url: 'http://localhost:1/r/a' },
    { name: 'b', url: 'https://b.example' },
  ]);
});

test.each(['', 'a', 'a=', '=http://x', 'a=ftp://x', 'a=http://x,', 'a b=http://x', 'a=http://x y'])(
  'refuses "%s"',
  (text) => {
    expect(() => parse(text)).toThrow('must be name=url');
  },
);

test('refuses a region named twice', () => {
  expect(() => parse('a=http://x,a=http://y')).toThrow('names a region twice');
});

test('the own region comes first, the others keep their order', () => {
  const regions = ['a', 'b', 'c'].map((name) => ({ name, url: `http://${name}` }));
  const names = (own: string) => ownFirst(regions, own).map(({ name }) => name);
  expect(names('c')).toEqual(['c', 'a', 'b']);
  expect(names('a')).toEqual(['a', 'b', 'c']);
  expect(names('elsewhere')).toEqual(['a', 'b', 'c']);
});
