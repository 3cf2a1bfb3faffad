import { readFileSync } from 'node:fs';

/**
 * Configuration comes from the environment, once, at start. Each service declares its keys in its
 * `config.ts`; a missing, malformed or unknown `VOTE_*` key stops the start with all faults at
 * once.
 */
export interface ConfigKey<T> {
  readonly env: `VOTE_${string}`;
  /** One sentence for `docs/config.md`: meaning, unit, danger. */
  readonly doc: string;
  /** Throws an Error whose message completes "KEY …": "must be a port, 1 to 65535". */
  readonly parse: (text: string) => T;
  /** The text used when the key is absent; without one the key is required. */
  readonly fallback?: string;
  /** The value is a secret's content: never printed. */
  readonly secret?: boolean;
}

export type ConfigSpec = Readonly<Record<string, ConfigKey<unknown>>>;
export type ConfigOf<S extends ConfigSpec> = {
  readonly [K in keyof S]: S[K] extends ConfigKey<infer T> ? T : never;
};

/** Fixes the types of a service's keys and checks that no key is declared twice. */
export function defineConfig<S extends ConfigSpec>(spec: S): S {
  const names = Object.values(spec).map((key) => key.env);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new TypeError(`${twice} is declared twice`);
  return spec;
}

/** All that is wrong with an environment, one line a fault. */
export class ConfigError extends Error {
  readonly faults: readonly string[];
  constructor(faults: readonly string[]) {
    super(`the configuration is not usable:\n${faults.map((fault) => `  ${fault}`).join('\n')}`);
    this.name = 'ConfigError';
    this.faults = faults;
  }
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Reads and freezes the configuration. Throws a ConfigError that names every fault. */
export function loadConfig<S extends ConfigSpec>(spec: S, env: Environment): ConfigOf<S> {
  const faults: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [field, key] of Object.entries(spec)) {
    const text = env[key.env] ?? key.fallback;
    if (text === undefined) {
      faults.push(`${key.env} is missing: ${key.doc}`);
      continue;
    }
    try {
      values[field] = key.parse(text);
    } catch (error) {
      faults.push(`${key.env} ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  const known = new Set<string>(Object.values(spec).map((key) => key.env));
  for (const name of Object.keys(env)) {
    if (name.startsWith('VOTE_') && !known.has(name)) {
      faults.push(`${name} is not a key of this service: remove it or correct its spelling`);
    }
  }
  if (faults.length > 0) throw new ConfigError(faults);
  return Object.freeze(values) as ConfigOf<S>;
}

/** The configuration in force, a `KEY=value` line each, secrets replaced by their length. */
export function printConfig(spec: ConfigSpec, env: Environment): string {
  return Object.values(spec)
    .map((key) => {
      const text = env[key.env] ?? key.fallback ?? '';
      const shown = key.secret ? `(secret from ${text})` : redactUserInfo(text);
      return `${key.env}=${shown}${env[key.env] === undefined ? '  # default' : ''}`;
    })
    .join('\n');
}

function redactUserInfo(text: string): string {
  return text.replace(/(\w+:\/\/[^:/@\s]+):[^@\s]+@/, '$1:***@');
}

type Options = Pick<ConfigKey<unknown>, 'fallback'>;

function makeKey<T>(
  env: `VOTE_${string}`,
  doc: string,
  parse: (text: string) => T,
  options: Options & { secret?: boolean } = {},
): ConfigKey<T> {
  return { env, doc, parse, ...options };
}

/** Any text that is not empty. */
export function textKey(env: `VOTE_${string}`, doc: string, options?: Options): ConfigKey<string> {
  const parse = (text: string): string => {
    if (text.trim() === '') throw new Error('must not be empty');
    return text;
  };
  return makeKey(env, doc, parse, options);
}

/** Text that may be empty, such as a prefix. */
export function prefixKey(env: `VOTE_${string}`, doc: string): ConfigKey<string> {
  const parse = (text: string): string => {
    if (!/^[\w.:-]*$/.test(text)) throw new Error('may hold letters, digits and _ . : - only');
    return text;
  };
  return makeKey(env, doc, parse, { fallback: '' });
}

/** A whole number within bounds, both included. */
export function integerKey(
  env: `VOTE_${string}`,
  doc: string,
  bounds: { min: number; max: number },
  options?: Options,
): ConfigKey<number> {
  const parse = (text: string): number => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < bounds.min || value > bounds.max) {
      throw new Error(`must be a whole number from ${bounds.min} to ${bounds.max}, not "${text}"`);
    }
    return value;
  };
  return makeKey(env, doc, parse, options);
}

/** One of a few words. */
export function choiceKey<const T extends string>(
  env: `VOTE_${string}`,
  doc: string,
  choices: readonly T[],
  options?: Options,
): ConfigKey<T> {
  const parse = (text: string): T => {
    const choice = choices.find((word) => word === text);
    if (choice === undefined) throw new Error(`must be one of ${choices.join(', ')}`);
    return choice;
  };
  return makeKey(env, doc, parse, options);
}

/** An absolute URL of one of the schemes given, without a trailing slash. */
export function urlKey(
  env: `VOTE_${string}`,
  doc: string,
  schemes: readonly string[],
  options?: Options,
): ConfigKey<string> {
  const parse = (text: string): string => {
    const url = URL.canParse(text) ? new URL(text) : undefined;
    if (url === undefined || !schemes.includes(url.protocol.replace(':', ''))) {
      throw new Error(`must be a URL that starts with ${schemes.join(':// or ')}://`);
    }
    return text.replace(/\/$/, '');
  };
  return makeKey(env, doc, parse, options);
}

/** `host:port,host:port`: at least one. */
export function brokersKey(env: `VOTE_${string}`, doc: string): ConfigKey<readonly string[]> {
  const parse = (text: string): readonly string[] => {
    const brokers = text.split(',').map((broker) => broker.trim());
    if (brokers.some((broker) => !/^[\w.-]+:\d{1,5}$/.test(broker))) {
      throw new Error('must be host:port, several separated by commas');
    }
    return brokers;
  };
  return makeKey(env, doc, parse);
}

/** The path of a file; the value is what `read` makes of the file's content. */
export function secretFileKey<T>(
  env: `VOTE_${string}`,
  doc: string,
  read: (content: string) => T,
): ConfigKey<T> {
  const parse = (path: string): T => {
    let content: string;
    try {
      content = readFileSync(path, 'utf8').trim();
    } catch (error) {
      throw new Error(`names a file that cannot be read: ${path}`, { cause: error });
    }
    try {
      return read(content);
    } catch (error) {
      throw new Error(`names a file (${path}) that ${(error as Error).message}`, { cause: error });
    }
  };
  return makeKey(env, doc, parse, { secret: true });
}
