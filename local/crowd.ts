import { Keeper } from './keeper.ts';
import type { Places } from './places.ts';
import type { Terminal } from './terminal.ts';
import { findTools } from './tools.ts';

const VOTES_PER_SECOND = 5;
const SECONDS = 24 * 60 * 60;

/** A gentle crowd for a newcomer who wants to see bars move: votes in the demo session for a day. */
export async function startCrowd(
  places: Places,
  terminal: Terminal,
): Promise<{ stop: () => Promise<void> }> {
  const args = ['--rate', String(VOTES_PER_SECOND), '--seconds', String(SECONDS)];
  const keeper = new Keeper(
    {
      kind: 'process',
      id: 'crowd',
      name: 'crowd',
      region: undefined,
      url: '',
      dependsOn: [],
      uses: [],
      log: 'crowd',
      spec: {
        command: [findTools().node, 'test/load/main.ts', ...args],
        env: { NODE_COMPILE_CACHE: places.compileCache },
        stopSignal: 'SIGTERM',
        prepare: async () => {},
        probe: async () => true,
      },
    },
    terminal,
    places.log,
    () => {},
  );
  await keeper.start();
  return { stop: () => keeper.stop() };
}
