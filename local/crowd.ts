import { Keeper } from './keeper.ts';
import type { Places } from './places.ts';
import type { Terminal } from './terminal.ts';
import { findTools } from './tools.ts';

/**
 * A gentle crowd for a newcomer who wants to see bars move: votes until the demo session closes.
 */
export async function startCrowd(
  places: Places,
  terminal: Terminal,
): Promise<{ stop: () => Promise<void> }> {
  const keeper = new Keeper(
    {
      kind: 'process',
      id: 'crowd',
      name: 'crowd',
      region: undefined,
      url: '',
      ports: [],
      dependsOn: [],
      uses: [],
      log: 'crowd',
      spec: {
        command: [findTools().node, 'test/load/main.ts', '--demo'],
        env: { NODE_COMPILE_CACHE: places.compileCache },
        stopSignal: 'SIGTERM',
        deathSignal: 'SIGKILL',
        prepare: async () => {},
        probe: async () => true,
      },
    },
    {
      terminal,
      logFolder: places.log,
      onRestart: () => {},
      release: async () => {},
    },
  );
  await keeper.start();
  // A crowd has nothing to finish: whoever waits for an answer would be gone as well.
  const stop = async (): Promise<void> => {
    keeper.kill();
    await keeper.stop();
  };
  return { stop };
}
