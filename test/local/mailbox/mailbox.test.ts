import { type AddressInfo, connect } from 'node:net';
import { createTransport } from 'nodemailer';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { closeGracefully, createHttpServer, listen } from '#common/http-server.ts';
import { createApp } from '../../../local/mailbox/app.ts';
import { Mails, mailsMax } from '../../../local/mailbox/mails.ts';
import { mailboxPage } from '../../../local/mailbox/page.ts';
import { createSmtpServer, mailBytesMax } from '../../../local/mailbox/smtp.ts';

let mails: Mails;
let smtp: ReturnType<typeof createSmtpServer>;
let smtpPort: number;
beforeEach(async () => {
  mails = new Mails();
  smtp = createSmtpServer(
    (mail) => mails.add(mail),
    () => new Date(0),
  );
  await new Promise<void>((resolve) => {
    smtp.listen(0, '127.0.0.1', () => resolve());
  });
  smtpPort = (smtp.server.address() as AddressInfo).port;
});
afterEach(
  () =>
    new Promise<void>((resolve) => {
      smtp.close(() => resolve());
    }),
);

async function send(to: string, text: string): Promise<void> {
  const transport = createTransport({ host: '127.0.0.1', port: smtpPort });
  await transport.sendMail({ from: 'vote@vote.localhost', to, subject: 'Verify', text });
  transport.close();
}

test('a mail sent over SMTP is listed for its address, newest first', async () => {
  await send('ann@example.org', 'first');
  await send('bob@example.org', 'other');
  await send('Ann@Example.org', 'second');
  const server = createHttpServer(createApp(mails));
  const port = await listen(server, '127.0.0.1', 0);
  const response = await fetch(`http://127.0.0.1:${port}/messages?to=ann@example.org`);
  const listed = (await response.json()) as { text: string }[];
  expect(listed.map(({ text }) => text.trim())).toEqual(['second', 'first']);
  expect(listed[0]).toMatchObject({ subject: 'Verify', at: '1970-01-01T00:00:00.000Z' });
  expect((await fetch(`http://127.0.0.1:${port}/nothing`)).status).toBe(404);
  await closeGracefully(server);
});

test('a mail above the bound is refused and the next one still taken in', async () => {
  await expect(send('ann@example.org', 'x'.repeat(mailBytesMax + 1))).rejects.toThrow(/large|552/);
  expect(mails.list()).toEqual([]);
  await send('ann@example.org', 'small');
  expect(mails.list()).toHaveLength(1);
});

test('a client that goes away in the middle of a mail leaves nothing', async () => {
  const socket = connect(smtpPort, '127.0.0.1');
  socket.write('EHLO x\r\nMAIL FROM:<a@b.c>\r\nRCPT TO:<d@e.f>\r\nDATA\r\nhalf');
  await new Promise((resolve) => setTimeout(resolve, 200));
  socket.destroy();
  await send('ann@example.org', 'whole');
  expect(mails.list().map(({ to }) => to)).toEqual(['ann@example.org']);
});

test('the oldest mail is forgotten when there are too many', () => {
  for (let count = 0; count <= mailsMax; count += 1) {
    mails.add({ to: 'a@b.c', subject: String(count), text: '', at: '' });
  }
  expect(mails.list()).toHaveLength(mailsMax);
  expect(mails.list()[0]?.subject).toBe(String(mailsMax));
  expect(mails.list().at(-1)?.subject).toBe('1');
});

test('the page makes links live and nothing else of a mail', () => {
  const page = mailboxPage([
    {
      to: '<b>@x',
      subject: '<script>alert(1)</script>',
      text: 'Go to http://localhost:8080/verify?token=a&b="onclick=',
      at: '2026-01-01T00:00:00.000Z',
    },
  ]);
  expect(page).toContain('<a href="http://localhost:8080/verify?token=a&#38;b=">');
  expect(page).not.toContain('<script>');
  expect(page).not.toContain('"onclick');
});
