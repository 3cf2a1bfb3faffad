import { createTransport } from 'nodemailer';
import { jitteredRetryS, ServiceError } from '#common/errors.ts';
import type { Counter } from '#common/metrics.ts';
import type { MailContent } from './texts.ts';

export interface Mailer {
  /**
   * Resolves when the mail server has taken the mail. Throws `overloaded` when too many wait, and
   * `not_ready` when the server does not take it within `sendMsMax`; it may still have been sent.
   */
  send(to: string, content: MailContent): Promise<void>;
  close(): void;
}

/** Below what a page waits for an answer (10 s). */
const sendMsMax = 8000;
const connectMsMax = 3000;
const connectionsMax = 4;
const waitingMax = 100;

/**
 * Sends over at most 4 connections; 100 mails may be waited for. `smtpUrl` is `smtp:` or `smtps:`,
 * user and password percent-encoded; `publicUrl` gives the sender its domain. Counts what was sent
 * and what failed, not what was refused as too many. Nothing is connected before the first mail.
 */
export function createMailer(options: {
  readonly smtpUrl: string;
  readonly publicUrl: string;
  readonly random: () => number;
  readonly mailsTotal: Counter;
}): Mailer {
  const { random, mailsTotal } = options;
  const server = new URL(options.smtpUrl);
  const secure = server.protocol === 'smtps:';
  const transport = createTransport({
    host: server.hostname,
    port: Number(server.port || (secure ? 465 : 587)),
    secure,
    ...(server.username === ''
      ? {}
      : {
          auth: {
            user: decodeURIComponent(server.username),
            pass: decodeURIComponent(server.password),
          },
        }),
    pool: true,
    maxConnections: connectionsMax,
    connectionTimeout: connectMsMax,
    greetingTimeout: connectMsMax,
    socketTimeout: sendMsMax,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  const from = { name: 'Vote', address: `no-reply@${new URL(options.publicUrl).hostname}` };
  let waiting = 0;
  return {
    send: async (to, content) => {
      const retryAfterS = jitteredRetryS(5, random);
      if (waiting >= waitingMax) throw new ServiceError('overloaded', { retryAfterS });
      waiting++;
      // A mail that came too late for its caller still has its place until the transport lets go.
      const sending = transport.sendMail({ from, to, ...content }).finally(() => waiting--);
      try {
        await inTime(sending);
        mailsTotal.inc({ outcome: 'sent' });
      } catch (error) {
        mailsTotal.inc({ outcome: 'failed' });
        // The server's own words may repeat the address: only the kind of trouble is kept.
        const cause = new Error(`mail not sent: ${(error as { code?: string }).code ?? 'unknown'}`);
        throw new ServiceError('not_ready', { retryAfterS, cause });
      }
    },
    close: () => transport.close(),
  };
}

async function inTime(sending: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const error = Object.assign(new Error('the mail server is too slow'), { code: 'ETIMEDOUT' });
    timer = setTimeout(() => reject(error), sendMsMax);
  });
  try {
    await Promise.race([sending, late]);
  } finally {
    clearTimeout(timer);
  }
}
