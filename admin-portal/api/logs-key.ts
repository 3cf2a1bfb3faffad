import type { ConfigKey } from '#common/config.ts';
import { isLog } from '#common/contracts/act.ts';

/** Names of logs: regions, and standbys as region@host, whose region and host are named as well. */
export function logsKey(env: `VOTE_${string}`, doc: string): ConfigKey<readonly string[]> {
  const parse = (text: string): readonly string[] => {
    const logs = text.split(',').map((log) => log.trim());
    const wrong = logs.find((log) => !isLog(log));
    if (wrong !== undefined) {
      throw new Error(`must be regions, and region@host, separated by commas, not "${wrong}"`);
    }
    const named = new Set(logs);
    if (named.size < logs.length) throw new Error('names a log twice');
    const unknown = logs.flatMap((log) => log.split('@')).find((region) => !named.has(region));
    if (unknown !== undefined)
      throw new Error(`names copies of or in ${unknown}, but no ${unknown}`);
    return logs;
  };
  return { env, doc, parse };
}
