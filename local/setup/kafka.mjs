// Kafka's jars, as local/kafka/pom.xml names them, in .local/tools/kafka/lib, and an archive of
// their classes that spares each start of the broker a third of its work.

import { existsSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { archiveClasses } from './kafka-archive.mjs';
import { maven } from './maven.mjs';
import {
  freshFolder,
  root,
  SetupError,
  say,
  sha256,
  tools,
  toolsDir,
  writeWhole,
} from './shared.mjs';

/**
 * Runs after Java was found. Leaves paths in `tools.found`, relative to the checkout. Rejects with
 * a SetupError when the jars cannot be fetched; those of before stay in place then.
 */
export async function installKafka() {
  const pom = join(root, 'local/kafka/pom.xml');
  const folder = join(toolsDir, 'kafka');
  tools.found.kafkaLib = join('.local/tools/kafka/lib');
  tools.found.kafkaArchive = join('.local/tools/kafka/classes.jsa');
  const wanted = sha256(readFileSync(pom));
  if (!isStamped(folder, 'pom.sha256', wanted)) fetchJars(pom, folder, wanted);
  // Another Java cannot use the archive of this one.
  const archived = sha256(wanted, JSON.stringify(tools.found.java));
  if (isStamped(folder, 'archive.sha256', archived)) return;
  await archiveClasses(folder);
  writeWhole(join(folder, 'archive.sha256'), archived);
}

function isStamped(folder, name, wanted) {
  const path = join(folder, name);
  return existsSync(path) && readFileSync(path, 'utf8') === wanted;
}

function fetchJars(pom, folder, stamp) {
  say('fetching Kafka (45 jars, 43 MB) ...');
  const fetched = join(toolsDir, 'kafka.new');
  freshFolder(fetched);
  maven(
    ['-f', pom, 'dependency:copy-dependencies', `-DoutputDirectory=${join(fetched, 'lib')}`],
    'Kafka',
  );
  if (!readdirSync(join(fetched, 'lib')).some((name) => name.startsWith('kafka-server-'))) {
    throw new SetupError('Kafka could not be fetched: Maven left no kafka-server jar.');
  }
  writeWhole(join(fetched, 'pom.sha256'), stamp);
  rmSync(folder, { recursive: true, force: true });
  renameSync(fetched, folder);
}
