import { runService } from '#common/service.ts';
import { config } from './config.ts';
import { start } from './start.ts';

await runService({ name: 'results', config, start });
