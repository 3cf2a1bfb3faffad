import type { Language } from './language.ts';

/** A catalogue: plain sentences, and sentences by plural category (`zero` … `other`). */
export type Catalogue = Readonly<Record<string, string | Readonly<Record<string, string>>>>;

export type Values = Readonly<Record<string, string | number>>;

/** What a view needs to speak one language. */
export type Speech = {
  language: Language;
  /** The sentence of that key; `{name}` is replaced by its value, `{count}` picks the plural. */
  t: (key: string, values?: Values) => string;
  has: (key: string) => boolean;
  number: (value: number) => string;
  /** A share from 0 to 100 with two decimals, so that columns line up. */
  percent: (share: number) => string;
  /**
   * Date and time in the viewer's zone, and in UTC where that differs; empty for what is no time.
   */
  moment: (time: string) => string;
  /** Time of day to the second, in the viewer's zone. */
  clock: (time: string) => string;
};

/** Around inserted words, so that a code or name in another script keeps its own direction. */
const ISOLATE = '\u2068';
const END_ISOLATE = '\u2069';

/**
 * @param locale how numbers and dates are written: the viewer's own variety of the language
 *   (`ar-EG`, `en-GB`) where the browser names one
 * @param zone a time zone by its IANA name; the device's when not given
 */
export function speech(
  language: Language,
  catalogue: Catalogue,
  locale: string = language,
  zone = new Intl.DateTimeFormat().resolvedOptions().timeZone,
): Speech {
  const plural = new Intl.PluralRules(language);
  const integer = new Intl.NumberFormat(locale);
  const percent = new Intl.NumberFormat(locale, {
    style: 'percent',
    minimumFractionDigits: 2,
    maximumFractionDigits: 2,
  });
  const clock = new Intl.DateTimeFormat(locale, { timeStyle: 'medium', timeZone: zone });
  const local = momentFormat(locale, zone);
  const utc = momentFormat(locale, 'UTC');

  function moment(date: Date): string {
    const here = local.format(date);
    const there = utc.format(date);
    return here === there ? here : `${here} (${there})`;
  }

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
    moment: (time) => format(time, moment),
    clock: (time) => format(time, (date) => clock.format(date)),
  };
}

function format(time: string, write: (date: Date) => string): string {
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? '' : write(date);
}

function momentFormat(locale: string, timeZone: string): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat(locale, {
    year: 'numeric',
    month: 'long',
    day: 'numeric',
    hour: 'numeric',
    minute: '2-digit',
    timeZoneName: 'short',
    timeZone,
  });
}
