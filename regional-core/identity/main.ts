import { runService } from '#common/service.ts';
import { config } from './config.ts';
import { startIdentity } from './start.ts';

await runService({ name: 'identity', config, start: startIdentity });
