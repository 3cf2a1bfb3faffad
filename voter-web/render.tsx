import { renderToString } from 'preact-render-to-string';
import { App } from './app.tsx';
import type { Catalogue } from './i18n.ts';
import type { Language } from './language.ts';

/** The entry screen of a language as HTML: what a voter sees before any script has run. */
export function renderEntry(language: Language, catalogue: Catalogue): string {
  const route = { view: 'vote', language, sessionId: null } as const;
  return renderToString(<App route={route} catalogue={catalogue} locale={language} />);
}
