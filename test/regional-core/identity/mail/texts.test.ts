import { expect, test } from 'vitest';
import {
  accountExistsMail,
  verificationMail,
} from '../../../../regional-core/identity/mail/texts.ts';

test('both forms of a mail hold the link, and the page cannot be broken by it', () => {
  const mail = verificationMail('https://vote.example/verify?token=a&b="><script>');
  expect(mail.text).toContain('\nhttps://vote.example/verify?token=a&b="><script>\n');
  expect(mail.html).toContain(
    'href="https://vote.example/verify?token=a&amp;b=&quot;>&lt;script>"',
  );
  expect(mail.html).not.toContain('<script');
});

test('the mail to whoever has an account holds no link that does something', () => {
  const mail = accountExistsMail('https://vote.example');
  expect(mail.text).not.toContain('token');
  expect(mail.text).toContain('Your password was not changed.');
});
