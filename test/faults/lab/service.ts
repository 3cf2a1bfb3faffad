import { type Facts, serviceEnv } from '../../../local/env.ts';
import { answersOk } from '../../../local/probes.ts';
import { loadKeys, serviceKinds } from '../../../local/services.ts';
import type { Tools } from '../../../local/tools.ts';
import type { Ground } from './ground.ts';
import { Victim } from './victim.ts';

export interface Service {
  readonly process: Victim;
  readonly port: number;
  readonly internalPort: number;
}

export interface ServicePlace {
  readonly name: string;
  readonly region: string | undefined;
  /** From 1: some services run several times in a region. */
  readonly number: number;
}

/** One process of ours, with the environment that the local stack would give it, but for `own`. */
export async function createService(
  ground: Ground,
  tools: Tools,
  facts: Facts,
  { name, region, number }: ServicePlace,
  own: Readonly<Record<string, string>>,
): Promise<Service> {
  const kind = serviceKinds.find((one) => one.name === name);
  if (kind === undefined) throw new Error(`there is no service ${name}`);
  const id = region === undefined ? `${name}-${number}` : `${name}-${region}-${number}`;
  const port = ground.port(id);
  const internalPort = ground.port(`${id}/internal`);
  const keys = await loadKeys(kind);
  const values = { ...own, VOTE_PORT: String(port), VOTE_INTERNAL_PORT: String(internalPort) };
  const env = {
    ...serviceEnv({ kind, region }, keys, facts, values),
    NODE_COMPILE_CACHE: `${ground.folder}/compile-cache`,
  };
  const process = new Victim(
    id,
    {
      command: [tools.node, `${kind.folder}/main.ts`],
      env,
      stopSignal: 'SIGTERM',
      deathSignal: 'SIGKILL',
      prepare: async () => {},
      probe: () => answersOk(internalPort, '/readyz'),
    },
    ground.logFolder,
  );
  return { process, port, internalPort };
}
