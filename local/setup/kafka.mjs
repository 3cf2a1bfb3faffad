// Kafka's jars, as local/kafka/pom.xml names them, in .local/tools/kafka/lib.

import { existsSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
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

export function installKafka() {
  const pom = join(root, 'local/kafka/pom.xml');
  const folder = join(toolsDir, 'kafka');
  const stampPath = join(folder, 'pom.sha256');
  const wanted = sha256(readFileSync(pom));
  tools.found.kafkaLib = join('.local/tools/kafka/lib');
  if (existsSync(stampPath) && readFileSync(stampPath, 'utf8') === wanted) return;
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
  writeWhole(join(fetched, 'pom.sha256'), wanted);
  rmSync(folder, { recursive: true, force: true });
  renameSync(fetched, folder);
}
