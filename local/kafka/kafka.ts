import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { answers } from '../probes.ts';
import type { ProcessSpec } from '../process-spec.ts';
import { runToEnd } from '../run-to-end.ts';
import type { Tools } from '../tools.ts';
import { serverProperties } from './server-properties.ts';

export interface KafkaPlace {
  readonly dataDir: string;
  readonly port: number;
  readonly controllerPort: number;
  readonly heapMb: number;
  /** One of several nodes of a cluster, with its place in the quorum; otherwise it is alone. */
  readonly member?: ClusterMember;
}

export interface ClusterMember {
  readonly clusterId: string;
  /** Broker settings that differ from those of a node that is alone. */
  readonly settings: Readonly<Record<string, string | number>>;
}

const FORMAT_MS_MAX = 60_000;
const logging = join(import.meta.dirname, 'log4j2.properties');

/** One node in KRaft mode, as a rule its own controller; its storage is formatted at first start. */
export function kafkaSpec(tools: Tools, place: KafkaPlace): ProcessSpec {
  const config = join(place.dataDir, 'server.properties');
  return {
    command: [
      ...java(tools, place.heapMb),
      // Java says nothing and starts without it when it is missing or of another Java.
      `-XX:SharedArchiveFile=${tools.kafkaArchive}`,
      ...lateCompilation,
      // Kafka's own start script sets these: short pauses matter more than throughput here.
      '-XX:MaxGCPauseMillis=20',
      '-XX:InitiatingHeapOccupancyPercent=35',
      'kafka.Kafka',
      config,
    ],
    env: {},
    stopSignal: 'SIGTERM',
    // It ends within seconds, and a start after a kill must read its logs again.
    deathSignal: 'SIGTERM',
    prepare: () => prepareStorage(tools, place, config),
    probe: () => answers(place.port, apiVersionsRequest, (answer) => answer.length > 8),
  };
}

/**
 * The thorough compiler waits ten times longer than by default. At the defaults it takes half of a
 * start's CPU (4.6 s to the open port against 3.1 s, and 6.7 s without the archive) for code that
 * runs once; on two shared cores that decides whether a killed broker is back within 15 s.
 */
const lateCompilation = [
  '-XX:Tier4InvocationThreshold=50000',
  '-XX:Tier4MinInvocationThreshold=6000',
  '-XX:Tier4CompileThreshold=150000',
  '-XX:Tier4BackEdgeThreshold=400000',
];

function java(tools: Tools, heapMb: number): [string, ...string[]] {
  return [
    tools.java,
    `-Xmx${heapMb}m`,
    '-XX:+UseG1GC',
    `-Dlog4j2.configurationFile=${logging}`,
    '-cp',
    `${tools.kafkaLib}/*`,
  ];
}

async function prepareStorage(tools: Tools, place: KafkaPlace, config: string): Promise<void> {
  const logDir = join(place.dataDir, 'log');
  await mkdir(logDir, { recursive: true });
  const { member } = place;
  await writeFile(config, serverProperties({ ...place, logDir }, member?.settings));
  // Formatting writes this file last, so a format that was cut short is done again.
  if (existsSync(join(logDir, 'meta.properties'))) return;
  const clusterId = member?.clusterId ?? randomBytes(16).toString('base64url');
  // Members of a quorum find each other by their settings.
  const quorum = member === undefined ? ['--standalone'] : [];
  const [command, ...flags] = java(tools, 128);
  // One word: an id may begin with a dash (1 in 64 does), which alone would be taken for an option.
  const id = `--cluster-id=${clusterId}`;
  const format = ['format', ...quorum, '--ignore-formatted', id, '-c', config];
  // The one-second life of this JVM is start-up: the first compiler tier is enough.
  const tier = '-XX:TieredStopAtLevel=1';
  await runToEnd(
    [command, tier, ...flags, 'kafka.tools.StorageTool', ...format],
    {},
    FORMAT_MS_MAX,
  );
}

/** ApiVersions, version 0, correlation id 1, client id "up": answered once requests are served. */
const apiVersionsRequest = Buffer.from('0000000c001200000000000100027570', 'hex');
