import { hydrate, render } from 'preact';
import { readLogin } from './account.ts';
import { App } from './app.tsx';
import { deviceStore, tabStore } from './browser.ts';
import type { Catalogue } from './i18n.ts';
import { readKeptVote } from './kept-vote.ts';
import { type Language, languageOf } from './language.ts';
import { readRoute } from './route.ts';
import { readOpenBallot } from './use-vote.ts';

/** The page's own language rules: at `/` the address names none, the document does. */
const language: Language = languageOf(document.documentElement.lang) ?? 'en';
const route = { ...readRoute(location.pathname, location.search), language };

const template = document.getElementById('catalogue') as HTMLTemplateElement;
const catalogue = JSON.parse(template.content.textContent ?? '{}') as Catalogue;

const root = document.getElementById('app') as HTMLElement;
// The voter's own variety of the language writes numbers and dates: en-GB, ar-EG.
const locale = navigator.languages.find((tag) => tag.split('-')[0] === language) ?? language;
const app = <App route={route} catalogue={catalogue} locale={locale} />;

if (startsAtEntry()) {
  hydrate(app, root);
} else {
  root.replaceChildren();
  render(app, root);
}

/** True when the first screen is the prerendered one, so that what was typed meanwhile stays. */
function startsAtEntry(): boolean {
  if (route.view !== 'vote' || readLogin(tabStore) !== null) return false;
  const { sessionId } = route;
  if (sessionId === null) return true;
  return readKeptVote(deviceStore, sessionId) === null && readOpenBallot(sessionId) === null;
}
