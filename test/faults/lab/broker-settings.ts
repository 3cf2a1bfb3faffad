type Settings = Readonly<Record<string, string | number>>;

export interface NodeListeners {
  /** Where the broker itself listens for clients, and where they are told to connect. */
  readonly client: number;
  readonly advertised: number;
  /** Between brokers: never through a proxy. */
  readonly inner: number;
  readonly controller: number | undefined;
}

/**
 * What a broker of a lab's cluster has set otherwise than one that is alone: see
 * local/kafka/server-properties.ts.
 */
export function brokerSettings(
  id: number,
  voters: string,
  brokers: number,
  { client, advertised, inner, controller }: NodeListeners,
): Settings {
  const own = `CLIENT://127.0.0.1:${client},INNER://127.0.0.1:${inner}`;
  const isVoter = controller !== undefined;
  return {
    ...quorum(id, voters),
    'process.roles': isVoter ? 'broker,controller' : 'broker',
    listeners: isVoter ? `${own},CONTROLLER://127.0.0.1:${controller}` : own,
    'advertised.listeners': `CLIENT://127.0.0.1:${advertised},INNER://127.0.0.1:${inner}`,
    'inter.broker.listener.name': 'INNER',
    'listener.security.protocol.map': 'CLIENT:PLAINTEXT,INNER:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'min.insync.replicas': Math.min(2, brokers),
    'default.replication.factor': brokers,
    // A replica that does not keep up leaves the in-sync set after this; 30 s by default.
    'replica.lag.time.max.ms': 5000,
    // Two cores carry many of these.
    'num.network.threads': 1,
    'num.io.threads': 2,
  };
}

export function controllerSettings(id: number, voters: string, controller: number): Settings {
  return {
    ...quorum(id, voters),
    'process.roles': 'controller',
    listeners: `CONTROLLER://127.0.0.1:${controller}`,
    'advertised.listeners': '',
    'listener.security.protocol.map': 'CONTROLLER:PLAINTEXT',
  };
}

/** Members name each other: there is no first one to be found by. */
function quorum(id: number, voters: string): Settings {
  return {
    'node.id': id,
    'controller.quorum.bootstrap.servers': '',
    'controller.quorum.voters': voters,
  };
}
