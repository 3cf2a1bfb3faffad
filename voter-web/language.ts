/** The languages the page is built in, each named in itself. Order is that of the links. */
export const languages = {
  en: { name: 'English', direction: 'ltr' },
  de: { name: 'Deutsch', direction: 'ltr' },
  ar: { name: 'العربية', direction: 'rtl' },
} as const;

export type Language = keyof typeof languages;

/** The language with this tag, or null: `en-GB` is not one of ours, `en` is. */
export function languageOf(tag: string): Language | null {
  return Object.hasOwn(languages, tag) ? (tag as Language) : null;
}
