import { defineConfig, integerKey } from '#common/config.ts';
import { portKey, serviceKeys } from '#common/service-config.ts';

export const config = defineConfig({
  ...serviceKeys,
  port: portKey,
  smtpPort: integerKey('VOTE_SMTP_PORT', 'Port that takes mail in (SMTP, no login).', {
    min: 1,
    max: 65_535,
  }),
});
