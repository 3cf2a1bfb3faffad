import { simpleParser } from 'mailparser';
import { SMTPServer } from 'smtp-server';
import type { Mail } from './mails.ts';

/** A mail of ours has 5 kB; a larger one than this is a fault worth seeing. */
export const mailBytesMax = 256 * 1024;

/** Takes every mail for every address, one entry a recipient; it delivers nothing. */
export function createSmtpServer(take: (mail: Mail) => void, now: () => Date): SMTPServer {
  return new SMTPServer({
    authOptional: true,
    disabledCommands: ['AUTH', 'STARTTLS'],
    size: mailBytesMax,
    maxClients: 50,
    logger: false,
    onData: (stream, session, done) => {
      const recipients = session.envelope.rcptTo.map(({ address }) => address);
      void (async () => done(await takeIn(stream, recipients)))();
    },
  });

  /** Resolves with what is wrong with the mail, or with nothing when it was taken in. */
  async function takeIn(
    stream: AsyncIterable<Buffer>,
    recipients: string[],
  ): Promise<Error | undefined> {
    const chunks: Buffer[] = [];
    let bytes = 0;
    // Read to its end even when it is too large, or the sender never hears why.
    for await (const chunk of stream) {
      bytes += chunk.length;
      if (bytes <= mailBytesMax) chunks.push(chunk);
    }
    if (bytes > mailBytesMax) return new MailTooLarge('The mail is too large.');
    try {
      for (const mail of await parse(Buffer.concat(chunks), recipients, now())) take(mail);
      return undefined;
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    }
  }
}

class MailTooLarge extends Error {
  readonly responseCode = 552;
}

async function parse(raw: Buffer, recipients: readonly string[], at: Date): Promise<Mail[]> {
  const { subject, text, html } = await simpleParser(raw, { skipImageLinks: true });
  return recipients.map((to) => ({
    to,
    subject: subject ?? '(no subject)',
    text: text ?? '',
    ...(typeof html === 'string' ? { html } : {}),
    at: at.toISOString(),
  }));
}
