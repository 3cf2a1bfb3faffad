import { createHttpServer, listen } from '#common/http-server.ts';
import { runService } from '#common/service.ts';
import { createApp } from './app.ts';
import { config } from './config.ts';
import { Mails } from './mails.ts';
import { createSmtpServer } from './smtp.ts';

await runService({
  name: 'mailbox',
  config,
  start: async ({ config: { host, port, smtpPort }, log }) => {
    const mails = new Mails();
    const smtp = createSmtpServer(
      (mail) => mails.add(mail),
      () => new Date(),
    );
    smtp.on('error', (error) => log.warn({ err: error }, 'a mail could not be taken in'));
    await new Promise<void>((resolve) => {
      smtp.listen(smtpPort, host, () => resolve());
    });
    const server = createHttpServer(createApp(mails));
    await listen(server, host, port);
    return {
      server,
      notReady: () => [],
      drain: () =>
        new Promise<void>((resolve) => {
          smtp.close(() => resolve());
        }),
    };
  },
});
