import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { type Language, languages } from '../language.ts';
import { addressIn, type Route } from '../route.ts';
import { useSpeech } from './speaking.ts';

/** The frame of every screen: skip link, banner with the languages, main, footer. */
export function Layout(props: { route: Route; children: ComponentChildren }): JSX.Element {
  const { t, language } = useSpeech();
  // Prerendered links lead to the start page; hydration keeps attributes, so they follow after it.
  const [linked, setLinked] = useState(false);
  useEffect(() => setLinked(true), []);
  return (
    <>
      <a class="skip" href="#main">
        {t('skip')}
      </a>
      <header class="banner">
        <div class="column">
          <p class="brand">{t('brand')}</p>
          <nav aria-label={t('languages')}>
            <ul class="languages">
              {(Object.keys(languages) as Language[]).map((code) => (
                <li key={code}>
                  <a
                    href={linked ? addressIn(code, props.route) : `/${code}/`}
                    lang={code}
                    hreflang={code}
                    dir={languages[code].direction}
                    aria-current={code === language ? 'true' : undefined}
                  >
                    {languages[code].name}
                  </a>
                </li>
              ))}
            </ul>
          </nav>
        </div>
      </header>
      <main id="main" class="column" tabIndex={-1}>
        {props.children}
      </main>
      <footer class="column">
        <p>
          {t('footer')} <a href={`/${language}/receipt`}>{t('check.title')}</a>
        </p>
      </footer>
    </>
  );
}

let headingsShown = 0;

/**
 * The heading of a screen. A screen that replaces another moves the focus here, so that a screen
 * reader says where one is; the first screen of the page leaves the focus alone.
 */
export function Heading(props: { children: string }): JSX.Element {
  const { t } = useSpeech();
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    headingsShown += 1;
    if (headingsShown > 1) heading.current?.focus();
  }, []);
  useEffect(() => {
    document.title = `${props.children} – ${t('brand')}`;
  }, [props.children]);
  return (
    <h1 ref={heading} tabIndex={-1}>
      <bdi>{props.children}</bdi>
    </h1>
  );
}
