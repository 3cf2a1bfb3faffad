import { join } from 'node:path';
import { Redis } from 'ioredis';
import { redisSpec } from '../../../local/redis.ts';
import type { Tools } from '../../../local/tools.ts';
import type { Ground } from './ground.ts';
import { Proxy } from './proxy.ts';
import { Victim } from './victim.ts';

interface RedisServer {
  readonly process: Victim;
  readonly port: number;
}

/** A Redis and its replica behind one address, which the lab moves. */
export class RedisPair {
  readonly proxy: Proxy;
  readonly servers: readonly [RedisServer, RedisServer];
  #isMoved = false;

  private constructor(proxy: Proxy, servers: readonly [RedisServer, RedisServer]) {
    this.proxy = proxy;
    this.servers = servers;
  }

  static async create(ground: Ground, tools: Tools, region: string): Promise<RedisPair> {
    const lay = (name: string): RedisServer => {
      const id = `redis-${region}-${name}`;
      const port = ground.port(id);
      const spec = redisSpec(tools, { dataDir: join(ground.folder, id), port });
      return { process: new Victim(id, spec, ground.logFolder), port };
    };
    const servers = [lay('1'), lay('2')] as const;
    const target = { host: '127.0.0.1', port: servers[0].port };
    const proxy = await Proxy.open(`redis ${region}`, ground.port(`redis(${region})`), [target]);
    return new RedisPair(proxy, servers);
  }

  async start(): Promise<void> {
    await Promise.all(this.servers.map(({ process }) => process.start()));
    await this.command(1, 'REPLICAOF', '127.0.0.1', this.servers[0].port);
  }

  /** One command to one of the two, past the address. */
  async command(at: 0 | 1, name: string, ...args: (string | number)[]): Promise<unknown> {
    const redis = new Redis({
      host: '127.0.0.1',
      port: this.servers[at].port,
      maxRetriesPerRequest: 0,
      retryStrategy: () => null,
    });
    redis.on('error', () => undefined);
    try {
      return await redis.call(name, ...args);
    } finally {
      redis.disconnect();
    }
  }

  /** The replica takes over, and the address goes there. */
  async promoteReplica(): Promise<void> {
    await this.command(1, 'REPLICAOF', 'NO', 'ONE');
    this.#isMoved = true;
    this.proxy.moveTo({ host: '127.0.0.1', port: this.servers[1].port });
    this.proxy.resetAll();
  }

  async heal(): Promise<void> {
    this.proxy.heal();
    await Promise.all(this.servers.map(({ process }) => process.heal()));
    await this.command(0, 'CONFIG', 'SET', 'maxmemory', '256mb');
    await this.command(0, 'CONFIG', 'SET', 'maxmemory-policy', 'noeviction');
    await this.command(0, 'REPLICAOF', 'NO', 'ONE');
    await this.command(1, 'REPLICAOF', '127.0.0.1', this.servers[0].port);
    this.proxy.moveTo({ host: '127.0.0.1', port: this.servers[0].port });
    if (this.#isMoved) this.proxy.resetAll();
    this.#isMoved = false;
  }

  async close(): Promise<void> {
    await this.proxy.close();
    await Promise.all(this.servers.map(({ process }) => process.kill()));
  }
}
