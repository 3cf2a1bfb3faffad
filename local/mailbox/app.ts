import type { RequestListener } from 'node:http';
import type { Mails } from './mails.ts';
import { mailboxPage } from './page.ts';

/** `GET /` is the page, `GET /messages?to=ADDRESS` the same as JSON, newest first. */
export function createApp(mails: Mails): RequestListener {
  return (request, response) => {
    const answer = (status: number, type: string, body: string): void => {
      response.writeHead(status, {
        'content-type': `${type}; charset=utf-8`,
        'cache-control': 'no-store',
        // The page shows text that strangers wrote.
        'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'",
        'x-content-type-options': 'nosniff',
      });
      response.end(body);
    };
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://mailbox');
    if (request.method !== 'GET') return answer(405, 'text/plain', 'GET only\n');
    if (pathname === '/') return answer(200, 'text/html', mailboxPage(mails.list()));
    if (pathname === '/messages') {
      const to = searchParams.get('to') ?? undefined;
      return answer(200, 'application/json', JSON.stringify(mails.list(to)));
    }
    return answer(404, 'text/plain', 'not found\n');
  };
}
