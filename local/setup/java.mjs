// A Java runtime for Kafka: JAVA_HOME, then the PATH, then the distribution's package.

import { statSync } from 'node:fs';
import { join } from 'node:path';
import { aptInstall, isExecutable, onPath, run, SetupError, tools } from './shared.mjs';

const JAVA_MIN = 17;
const byHand =
  'install a Java runtime 17 or newer (for example `apt-get install openjdk-17-jre-headless` as ' +
  'root) or set JAVA_HOME, then start again.';

/**
 * Leaves `{path, modifiedAt, version}` in `tools.found.java`. Throws a SetupError when there is
 * none.
 */
export function installJava() {
  const java = findJava();
  if (java) return remember(java);
  aptInstall('openjdk-17-jre-headless', `Java ${JAVA_MIN} or newer`, byHand);
  const installed = findJava();
  if (!installed) throw new SetupError(`Java was installed but does not run: ${byHand}`);
  remember(installed);
}

function remember(java) {
  tools.found.java = java;
}

function findJava() {
  const home = process.env.JAVA_HOME && join(process.env.JAVA_HOME, 'bin/java');
  const candidates = [home, onPath('java')].filter((path) => path && isExecutable(path));
  for (const path of candidates) {
    const modifiedAt = statSync(path).mtimeMs;
    const known = tools.found.java;
    // Starting a JVM for its version takes 60 ms; the same file needs no second asking.
    if (known?.path === path && known.modifiedAt === modifiedAt) return known;
    const version = majorVersion(run(path, ['-version']));
    if (version >= JAVA_MIN) return { path, modifiedAt, version };
  }
  return undefined;
}

/** `version "17.0.15"` is 17, `version "1.8.0_402"` is 1 and too old. */
function majorVersion({ ok, output }) {
  return ok ? Number(/version "(\d+)/.exec(output)?.[1] ?? 0) : 0;
}
