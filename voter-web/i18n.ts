import type { Language } from './language.ts';

/** A catalogue: plain sentences, and sentences by plural category (`zero` … `other`). */
export type Catalogue = Readonly<Record<string, string | Readonly<Record<string, string>>>>;

export type Values = Readonly<Record<string, string | number>>;

/** What a view needs to speak one language. */
export type Speech = {
  language: Language;
  /** The sentence of that key; `{name}` is replaced, numbers are formatted, `{count}` picks the plural. */
  t: (key: string, values?: Values) => string;
  has: (key: string) => boolean;
  number: (value: number) => string;
  /** A share from 0 to 100 with two decimals, so that columns line up. */
  percent: (share: number) => string;
  /** Date and time in the viewer's zone, with the zone's name; empty for what is no time. */
  moment: (time: string) => string;
  /** The same in UTC, which is what the rules of a vote are written in. */
  momentUtc: (time: string) => string;
  /** Time of day to the second, in the viewer's zone. */
  clock: (time: string) => string;
};

/** Around inserted words, so that a code or name in another script keeps its own direction. */
const ISOLATE = '\u2068';
const END_ISOLATE = '\u2069';

export function speech(language: Language, catalogue: Catalogue): Speech {
  const plural = new Intl.PluralRules(language);
  const integer = new Intl.NumberFormat(language);
  const percent = new Intl.NumberFormat(language, {
    style: 'percent',
    minimumFractionDigits: 2,
    maximumFractionDigits: 2,
  });
  const dateTime = { dateStyle: 'long', timeStyle: 'short' } as const;
  const moment = new Intl.DateTimeFormat(language, dateTime);
  const momentUtc = new Intl.DateTimeFormat(language, { ...dateTime, timeZone: 'UTC' });
  const clock = new Intl.DateTimeFormat(language, { timeStyle: 'medium' });
  const zone = new Intl.DateTimeFormat(language, { timeZoneName: 'short' });

  function t(key: string, values: Values = {}): string {
    const entry = catalogue[key] ?? key;
    const { count } = values;
    const sentence =
      typeof entry === 'string'
        ? entry
        : (entry[plural.select(Number(count ?? 0))] ?? entry['other'] ?? key);
    return sentence.replace(/\{(\w+)\}/g, (hole, name: string) => {
      const value = values[name];
      if (value === undefined) return hole;
      return typeof value === 'number' ? integer.format(value) : ISOLATE + value + END_ISOLATE;
    });
  }

  return {
    language,
    t,
    has: (key) => Object.hasOwn(catalogue, key),
    number: (value) => integer.format(value),
    percent: (share) => percent.format(share / 100),
    moment: (time) => format(time, (date) => `${moment.format(date)} ${zoneName(zone, date)}`),
    momentUtc: (time) => format(time, (date) => `${momentUtc.format(date)} UTC`),
    clock: (time) => format(time, (date) => clock.format(date)),
  };
}

function format(time: string, write: (date: Date) => string): string {
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? '' : write(date);
}

function zoneName(zone: Intl.DateTimeFormat, date: Date): string {
  return zone.formatToParts(date).find((part) => part.type === 'timeZoneName')?.value ?? '';
}
