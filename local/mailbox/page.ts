import type { Mail } from './mails.ts';

const style = `body{font:16px/1.5 system-ui,sans-serif;max-width:44rem}
body{margin:2rem auto;padding:0 1rem}
article{border-top:1px solid #999;padding:1rem 0}h2{margin:0;font-size:1.1rem}
p{margin:.2rem 0;color:#444}pre{white-space:pre-wrap;overflow-wrap:anywhere;font:inherit}`;

/**
 * The mails as one page without scripts. All of a mail is shown as text: only links are made live.
 */
export function mailboxPage(mails: readonly Mail[]): string {
  const articles = mails.map(
    ({ to, subject, text, at }) => `<article><h2>${escape(subject)}</h2>
<p>to ${escape(to)} · <time datetime="${at}">${at}</time></p>
<pre>${withLinks(text)}</pre></article>`,
  );
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Mailbox</title>
<meta name="viewport" content="width=device-width"><meta http-equiv="refresh" content="5">
<style>${style}</style></head><body><main><h1>Mailbox</h1>
<p>Every mail this stack sends ends here; none leaves this machine.</p>
${articles.join('\n') || '<p>No mail yet.</p>'}</main></body></html>
`;
}

/** Splits at addresses before escaping, so that what is linked is exactly what was written. */
function withLinks(text: string): string {
  return text
    .split(/(https?:\/\/[^\s<>"']+)/)
    .map((part, index) =>
      index % 2 === 1 ? `<a href="${escape(part)}">${escape(part)}</a>` : escape(part),
    )
    .join('');
}

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.codePointAt(0)};`);
}
