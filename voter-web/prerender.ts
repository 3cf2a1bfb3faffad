import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Plugin, runnerImport } from 'vite';
import { type Catalogue, speech } from './i18n.ts';
import { type Language, languages } from './language.ts';

type Renderer = { renderEntry: (language: Language, catalogue: Catalogue) => string };

/**
 * Writes one page a language after the bundle is made: the same script and style, the entry screen
 * in that language as HTML, and its catalogue in a `<template>`, which is neither shown nor run, so
 * that no rule for inline scripts has to be loosened for it.
 */
export function prerender(): Plugin {
  return {
    name: 'prerender',
    apply: 'build',
    enforce: 'post',
    async generateBundle(_options, bundle) {
      const page = bundle['index.html'];
      if (page?.type !== 'asset') throw new Error('the build made no index.html to fill');
      const shell = String(page.source);
      const { module } = await runnerImport<Renderer>(join(import.meta.dirname, 'render.tsx'), {
        root: import.meta.dirname,
        configFile: false,
        oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
      });
      for (const language of Object.keys(languages) as Language[]) {
        const catalogue = readCatalogue(language);
        const source = fillShell(
          shell,
          language,
          catalogue,
          module.renderEntry(language, catalogue),
        );
        this.emitFile({ type: 'asset', fileName: `${language}/index.html`, source });
        // The bare address speaks English and shows the way to the other languages.
        if (language === 'en') page.source = source;
      }
    },
  };
}

/** The catalogue of a language, as it stands in `locales/`. */
export function readCatalogue(language: Language): Catalogue {
  const path = join(import.meta.dirname, 'locales', `${language}.json`);
  return JSON.parse(readFileSync(path, 'utf8')) as Catalogue;
}

function fillShell(shell: string, language: Language, catalogue: Catalogue, html: string): string {
  const { t } = speech(language, catalogue);
  const title = `${t('entry.title')} – ${t('brand')}`;
  const noScript = `<noscript><p class="notice">${escapeHtml(t('noscript'))}</p></noscript>`;
  const fills: [string, string][] = [
    [
      '<html lang="en" dir="ltr">',
      `<html lang="${language}" dir="${languages[language].direction}">`,
    ],
    ['<title>Vote</title>', `<title>${escapeHtml(title)}</title>`],
    ['<div id="app"></div>', `${noScript}<div id="app">${html}</div>`],
    [
      '<template id="catalogue">',
      `<template id="catalogue">${escapeHtml(JSON.stringify(catalogue))}`,
    ],
  ];
  let filled = shell;
  for (const [hole, content] of fills) {
    if (!filled.includes(hole)) throw new Error(`index.html has no ${hole}`);
    filled = filled.replace(hole, () => content);
  }
  return filled;
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
