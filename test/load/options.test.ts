import { describe, expect, test } from 'vitest';
import { parseOptions } from './options.ts';

describe('the options of the crowd', () => {
  test('give every arrival a voter of its own unless told otherwise', () => {
    expect(parseOptions(['--rate', '200', '--seconds', '30'])).toMatchObject({
      rate: 200,
      seconds: 30,
      voters: 6_000,
      curve: 'flat',
      streams: 20,
    });
    expect(parseOptions(['--voters', '50']).voters).toBe(50);
  });

  test('make a demo crowd gentle', () => {
    expect(parseOptions(['--demo'])).toMatchObject({ demo: true, rate: 5 });
  });

  test.each([
    [['--rate', '0'], '--rate must be a number above 0 and up to 50000, not "0"'],
    [['--rate', 'fast'], '--rate must be a number above 0 and up to 50000, not "fast"'],
    [['--curve', 'zigzag'], '--curve must be one of flat, opening, spike'],
    [['--colour', 'red'], "Unknown option '--colour'"],
  ])('are refused with a sentence and the usage: %j', (args, sentence) => {
    expect(() => parseOptions(args)).toThrow(sentence);
    expect(() => parseOptions(args)).toThrow('Options of npm run load');
  });
});
