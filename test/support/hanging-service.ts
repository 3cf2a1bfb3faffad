// A service whose drain never ends: what bounds it is the frame's own deadline.

import { runService } from '#common/service.ts';
import { serviceKeys } from '#common/service-config.ts';

await runService({
  name: 'hanging',
  config: serviceKeys,
  start: () =>
    Promise.resolve({
      notReady: () => [],
      drain: () => new Promise<void>(() => undefined),
    }),
});
