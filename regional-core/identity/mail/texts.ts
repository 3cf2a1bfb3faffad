/** A mail's content; `text` says all, `html` says it again with a link to press. */
export interface MailContent {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

/** @param link address that verifies when it is opened; good for a day */
export function verificationMail(link: string): MailContent {
  return content(
    'Confirm your e-mail address',
    'Somebody, we hope you, registered this address for voting. To confirm it, open:',
    link,
    'The link is good for 24 hours and once. If this was not you, do nothing: no account is made.',
  );
}

/** Sent in place of a link to whoever has an account: the answer to the request never says so. */
export function accountExistsMail(publicUrl: string): MailContent {
  return content(
    'You already have an account',
    'Somebody, we hope you, registered this address for voting. It has an account: log in at',
    publicUrl,
    'Your password was not changed. If this was not you, there is nothing to do.',
  );
}

function content(subject: string, before: string, link: string, after: string): MailContent {
  const safeLink = escapeHtml(link);
  return {
    subject,
    text: `${before}\n\n${link}\n\n${after}\n`,
    html:
      `<!doctype html><html lang="en"><meta charset="utf-8"><title>${escapeHtml(subject)}</title>` +
      `<p>${escapeHtml(before)}</p><p><a href="${safeLink}">${safeLink}</a></p>` +
      `<p>${escapeHtml(after)}</p></html>`,
  };
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
