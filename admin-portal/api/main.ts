import { runService } from '#common/service.ts';
import { config } from './config.ts';
import { startPortal } from './start.ts';

await runService({ name: 'portal', config, start: startPortal });
