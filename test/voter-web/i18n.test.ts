import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { errorTable } from '../../regional-core/common/errors.ts';
import { type Catalogue, speech } from '../../voter-web/i18n.ts';
import { type Language, languages } from '../../voter-web/language.ts';

const folder = join(import.meta.dirname, '../../voter-web');
const all = Object.keys(languages) as Language[];
const catalogues = Object.fromEntries(
  all.map((language) => [
    language,
    JSON.parse(readFileSync(join(folder, 'locales', `${language}.json`), 'utf8')) as Catalogue,
  ]),
) as Record<Language, Catalogue>;
const english = catalogues.en;

/** The sentences of an entry, one for each plural category or just one. */
const sentences = (entry: Catalogue[string] | undefined): string[] =>
  typeof entry === 'string' ? [entry] : Object.values(entry ?? {});
const holes = (text: string): string[] => [...text.matchAll(/\{\w+\}/g)].map(String).toSorted();

describe.each(all)('the catalogue of %s', (language) => {
  const catalogue = catalogues[language];

  test('has exactly the keys of the others', () => {
    expect(Object.keys(catalogue)).toEqual(Object.keys(english));
  });

  test('has each plural category that its language needs, and no other', () => {
    const needed = new Intl.PluralRules(language).resolvedOptions().pluralCategories.toSorted();
    for (const [key, entry] of Object.entries(catalogue)) {
      expect(typeof entry, key).toBe(typeof english[key]);
      if (typeof entry !== 'string') expect(Object.keys(entry).toSorted(), key).toEqual(needed);
    }
  });

  test('has no empty sentence and no hole that the English one lacks', () => {
    for (const [key, entry] of Object.entries(catalogue)) {
      const known = sentences(english[key]).flatMap(holes);
      for (const sentence of sentences(entry)) {
        expect(sentence.trim(), key).not.toBe('');
        for (const hole of holes(sentence)) expect(known, key).toContain(hole);
        // A plural form may say the number in words; a plain sentence may not drop a value.
        if (typeof entry === 'string') expect(holes(sentence), key).toEqual(known.toSorted());
      }
    }
  });
});

test('each key in the views stands in the catalogue, and each sentence is used', () => {
  const files = [folder, join(folder, 'views')].flatMap((path) =>
    readdirSync(path, { withFileTypes: true })
      .filter((file) => file.isFile() && /\.tsx?$/.test(file.name))
      .map((file) => readFileSync(join(path, file.name), 'utf8')),
  );
  const source = files.join('\n');
  const literals = [...source.matchAll(/\bt\(\s*'([\w.-]+)'/g)].map((match) => match[1] ?? '');
  for (const key of literals) expect(english, key).toHaveProperty([key]);
  const composed =
    /^(error|todo|vote|count|state|sending|results\.mode|results\.hidden|login|register|keys|verdict|durability|standing|corrected)\./;
  const unused = Object.keys(english).filter(
    (key) => !composed.test(key) && !source.includes(`'${key}'`),
  );
  expect(unused).toEqual([]);
});

test('each error that a voter can meet has words of its own', () => {
  // These are for staff, or say that a program is wrong; the general sentence serves for them.
  const general = new Set([
    'origin_only',
    'forbidden',
    'method_not_allowed',
    'body_too_large',
    'unsupported_media_type',
    'session_conflict',
    'act_conflict',
    'already_signed',
    'already_taken',
    'invalid_signature',
    // These have screens of their own.
    'duplicate_vote',
    'vote_in_progress',
    'not_recorded_yet',
    'region_lost',
  ]);
  const missing = Object.keys(errorTable).filter(
    (code) => !general.has(code) && !Object.hasOwn(english, `error.${code}`),
  );
  expect(missing).toEqual([]);
});

describe('speaking', () => {
  const say = (language: Language, locale?: string, zone = 'UTC') =>
    speech(language, catalogues[language], locale, zone);

  test('numbers pick the plural of their language', () => {
    expect(say('en').t('results.votes', { count: 1 })).toBe('1 vote');
    expect(say('en').t('results.votes', { count: 1234 })).toBe('1,234 votes');
    expect(say('de').t('results.votes', { count: 1234 })).toBe('1.234 Stimmen');
    expect(say('ar').t('results.votes', { count: 2 })).toBe('صوتان');
    expect(say('ar').t('results.votes', { count: 3 })).toMatch(/أصوات$/);
    expect(say('ar', 'ar-EG').t('results.votes', { count: 11 })).toBe('١١ صوتًا');
  });

  test('words put into a sentence keep their own direction', () => {
    const sentence = say('ar').t('register.mailed.text', { email: 'a@b.example' });
    expect(sentence).toContain('\u2068a@b.example\u2069');
  });

  test('a time is told in the viewer’s zone, and in UTC where that differs', () => {
    const time = '2026-11-22T20:00:00.000Z';
    expect(say('en').moment(time)).toBe('November 22, 2026 at 8:00 PM UTC');
    expect(say('en', 'en-US', 'Asia/Tokyo').moment(time)).toBe(
      'November 23, 2026 at 5:00 AM GMT+9 (November 22, 2026 at 8:00 PM UTC)',
    );
    expect(say('en').moment('never')).toBe('');
  });

  test('shares have two decimals so that columns line up', () => {
    expect(say('en').percent(45)).toBe('45.00%');
    expect(say('de').percent(9.5).replace(/\s/, ' ')).toBe('9,50 %');
  });
});
