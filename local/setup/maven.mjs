// Maven is only needed while Kafka (or the fall-back Redis) is not here yet.

import { aptInstall, isNetworkTrouble, onPath, run, SetupError, tail, tools } from './shared.mjs';

const byHand = 'install Maven (for example `apt-get install maven` as root), then start again.';

/** Runs Maven quietly; `what` names the thing that is fetched. Throws a SetupError on failure. */
export function maven(args, what) {
  if (!onPath('mvn')) aptInstall('maven', 'Maven', byHand);
  const env = { ...process.env };
  // Maven looks for a JDK by itself and may find an older one than the Java we chose.
  if (tools.found.java) env.JAVA_HOME ??= javaHome(tools.found.java.path);
  const result = run('mvn', ['-q', '-B', ...args], { env });
  if (result.ok) return;
  const reason = isNetworkTrouble(result.output)
    ? 'the Maven repository cannot be reached; check the network (or its mirror in the Maven ' +
      'settings) and start again.'
    : 'Maven said:';
  throw new SetupError(`${what} could not be fetched: ${reason}\n${tail(result.output)}`);
}

function javaHome(java) {
  return run('readlink', ['-f', java])
    .output.trim()
    .replace(/\/bin\/java$/, '');
}
