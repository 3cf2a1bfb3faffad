import { runToEnd } from '../run-to-end.ts';
import type { Tools } from '../tools.ts';

/** As long as Kafka may take to start, and a little more. */
const CREATE_MS_MAX = 140_000;

/**
 * Creates the declared topics a broker lacks, as soon as it is there, in a process that ends: the
 * client would keep 100 MB of the starter's memory for the whole run.
 */
export async function createTopics(
  tools: Tools,
  broker: string,
  compileCache: string,
  signal: AbortSignal,
): Promise<void> {
  const env = { NODE_COMPILE_CACHE: compileCache };
  await runToEnd([tools.node, 'local/kafka/create-topics.ts', broker], env, CREATE_MS_MAX, signal);
}
