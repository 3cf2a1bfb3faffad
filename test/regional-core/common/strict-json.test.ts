import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseStrictObject } from '#common/strict-json.ts';

test('reads every object that JSON.parse reads, but for repeated members and __proto__', () => {
  const object = fc
    .dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 }))
    .filter((value) => !JSON.stringify(value).includes('__proto__'));
  fc.assert(
    fc.property(object, (value) => {
      const text = JSON.stringify(value);
      expect(parseStrictObject(text)).toEqual(JSON.parse(text));
    }),
  );
});

test.each([
  ['a member twice', '{"a":1,"a":2}'],
  ['a member twice, spelt with an escape', String.raw`{"a":1,"\u0061":2}`],
  ['a member twice further in', '{"b":[{"a":1, "a" : 2}]}'],
  ['__proto__', '{"__proto__":{"admin":true}}'],
  ['an array', '[{"a":1}]'],
  ['no object', '"text"'],
  ['null', 'null'],
  ['nesting without end', `${'{"a":'.repeat(9)}1${'}'.repeat(9)}`],
  ['half an object', '{"a":'],
  ['text after it', '{} {}'],
])('refuses %s', (_, text) => {
  expect(parseStrictObject(text)).toBeUndefined();
});

test('the same name in two objects is no repetition', () => {
  expect(parseStrictObject('{"a":{"a":1},"b":[{"a":1},{"a":2}]}')).toBeDefined();
});

test('never throws, whatever the text', () => {
  fc.assert(fc.property(fc.string(), (text) => void parseStrictObject(text)));
});
