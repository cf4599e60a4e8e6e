import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { stringify } from 'yaml';
import { runCommand, startDetached } from '../adapters/run-command.js';
import type { Certificates } from './certificates.js';
import { findFreePorts } from './free-ports.js';
import { findJava } from './java.js';
import { answersAt, KeptProcess } from './kept-process.js';
import { jarsOf } from './maven.js';

/** Releases of Cassandra that a lab can run, with what measures objects for them: without it no schema can be made. */
const RELEASES = {
  '3.11': { version: '3.11.17', jamm: '0.3.0', thrift: true },
  '4.0': { version: '4.0.13', jamm: '0.3.2', thrift: false },
  '4.1': { version: '4.1.7', jamm: '0.3.2', thrift: false },
  '5.0': { version: '5.0.2', jamm: '0.4.0', thrift: false },
} as const;
export type CassandraRelease = keyof typeof RELEASES;

const HOST = '127.0.0.1';
const STARTED_WITHIN_MS = 120_000;
const JOIN_DELAY_MS = 5_000;
/** It writes down what is in memory. */
const STOPPED_WITHIN_MS = 60_000;

/** What Cassandra reaches into on Java 17 (its conf/jvm17-server.options). */
const OPENED = [
  ...['jdk.internal.misc', 'jdk.internal.ref', 'sun.nio.ch', 'java.lang.ref'].map(
    (name) => `--add-exports=java.base/${name}=ALL-UNNAMED`,
  ),
  ...['com.sun.jmx.remote.internal.rmi'].map((name) => `--add-exports=java.management.rmi/${name}=ALL-UNNAMED`),
  ...['registry', 'server', 'transport.tcp'].map((name) => `--add-exports=java.rmi/sun.rmi.${name}=ALL-UNNAMED`),
  '--add-exports=java.sql/java.sql=ALL-UNNAMED',
  '--add-exports=jdk.unsupported/sun.misc=ALL-UNNAMED',
  ...[
    ...[
      'java.lang',
      'java.lang.module',
      'java.lang.reflect',
      'java.io',
      'java.math',
      'java.net',
      'java.nio',
      'java.nio.charset',
    ],
    ...[
      'java.nio.file.spi',
      'java.util',
      'java.util.concurrent',
      'java.util.concurrent.atomic',
      'java.util.concurrent.locks',
    ],
    ...[
      'sun.nio.ch',
      'jdk.internal.loader',
      'jdk.internal.ref',
      'jdk.internal.reflect',
      'jdk.internal.math',
      'jdk.internal.module',
    ],
    'jdk.internal.util.jar',
  ].map((name) => `--add-opens=java.base/${name}=ALL-UNNAMED`),
  '--add-opens=jdk.management/com.sun.management.internal=ALL-UNNAMED',
];

/** A node of Cassandra of the lab. */
export interface LabCassandra {
  readonly host: string;
  readonly port: number;
  readonly storagePort: number;
  readonly jmxPort: number;
  /** Where it runs: paths that it is given may be relative to it. */
  readonly folder: string;
  /** Folder of the keyspaces. */
  readonly dataDir: string;
  /** The words that run nodetool of its release. */
  readonly nodetool: readonly string[];
  stop(): Promise<void>;
}

/** A node of Cassandra as it is to be. */
export interface CassandraOptions {
  readonly release?: CassandraRelease;
  /** It admits nobody without TLS, a certificate of a client and a password. */
  readonly certificates?: Certificates;
  /** It joins the cluster of `seed` under another address of this host, such as `127.0.0.2`; from 4.0 on. */
  readonly joins?: { readonly seed: LabCassandra; readonly host: string };
}

/** Who may do all, on a node that asks who comes: Cassandra makes this user by itself. */
export const CASSANDRA_USER = { user: 'cassandra', password: 'cassandra' } as const;

/**
 * Starts a cluster of one node on free ports of 127.0.0.1, or a node that joins another. Data in `directory` is kept and used again; a
 * node that still runs there, left behind by a killed process, is taken over.
 */
export async function startCassandra(
  directory: string,
  { release = '4.1', certificates, joins }: CassandraOptions = {},
): Promise<LabCassandra> {
  const folder = resolve(directory);
  const host = joins?.host ?? HOST;
  const { version, jamm, thrift } = RELEASES[release];
  const java = await findJava([17, 11]);
  const jars = await jarsOf(`cassandra-${version}`, [
    { group: 'org.apache.cassandra', artifact: 'cassandra-all', version },
    ...(thrift ? [{ group: 'org.apache.cassandra', artifact: 'cassandra-thrift', version }] : []),
    { group: 'com.github.jbellis', artifact: 'jamm', version: jamm },
  ]);
  const portsFile = join(folder, 'ports.json');
  const process = keptIn(folder);
  const dataDir = join(folder, 'data');
  if ((await process.running()) === undefined) {
    await mkdir(dataDir, { recursive: true });
    const [jmxPort = 0, freePort = 0, freeStoragePort = 0] = await findFreePorts(3);
    // Clients ask every node at the port of the one that they know, and so do nodes among themselves.
    const { port, storagePort } = joins?.seed ?? { port: freePort, storagePort: freeStoragePort };
    await writeFile(portsFile, JSON.stringify({ port, storagePort, jmxPort }));
    const configuration = join(folder, 'cassandra.yaml');
    const secured = certificates === undefined ? {} : await securing(certificates, { java, folder });
    await writeFile(
      configuration,
      stringify({ ...configurationOf(release, { dataDir, host, port, storagePort }), ...secured }),
    );
    await writeFile(join(folder, 'logback.xml'), LOGGING);
    const { pid } = await startDetached(
      java,
      [
        ...OPENED,
        '-Djdk.attach.allowAttachSelf=true',
        `-javaagent:${join(jars, `jamm-${jamm}.jar`)}`,
        ...['-Xms256m', '-Xmx384m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'],
        `-Dcassandra.config=file://${configuration}`,
        `-Dcassandra.storagedir=${dataDir}`,
        `-Dcassandra.triggers_dir=${dataDir}`,
        '-Dcassandra-foreground=yes',
        `-Dcassandra.jmx.local.port=${jmxPort}`,
        '-Dcassandra.skip_wait_for_gossip_to_settle=0',
        // One that joins has to hear of the others first.
        `-Dcassandra.ring_delay_ms=${joins === undefined ? 100 : JOIN_DELAY_MS}`,
        '-Dcassandra.superuser_setup_delay_ms=0',
        '-cp',
        `${folder}:${jars}/*`,
        'org.apache.cassandra.service.CassandraDaemon',
      ],
      { env: {}, cwd: folder, logFile: join(folder, 'cassandra.log') },
    );
    await process.keep(pid);
  }
  const ports = JSON.parse(await readFile(portsFile, 'utf8')) as Ports; // written above
  const { port, storagePort, jmxPort } = ports;
  await waitUntilUp(folder, process, { host, port });
  return {
    ...{ host, port, storagePort, jmxPort, folder, dataDir: join(dataDir, 'data') },
    nodetool: [
      java,
      ...OPENED,
      '-cp',
      `${folder}:${jars}/*`,
      `-Dcassandra.config=file://${join(folder, 'cassandra.yaml')}`,
      'org.apache.cassandra.tools.NodeTool',
      '-p',
      String(jmxPort),
    ],
    stop: () => process.stop(STOPPED_WITHIN_MS),
  };
}

interface Ports {
  readonly port: number;
  readonly storagePort: number;
  readonly jmxPort: number;
}

function keptIn(folder: string): KeptProcess {
  return new KeptProcess(join(folder, 'process.json'));
}

const LOGGING =
  '<configuration><appender name="O" class="ch.qos.logback.core.ConsoleAppender"><encoder><pattern>%-5level %d{HH:mm:ss.SSS} %logger{20} %msg%n%ex{6}</pattern></encoder></appender><root level="INFO"><appender-ref ref="O"/></root></configuration>\n';

const STORE_PASSWORD = 'lab-keystore';

/** Keys and authorities as Java keeps them, and the settings that demand both sides' certificates and a password. */
async function securing(
  { ca, serverCert, serverKey }: Certificates,
  { java, folder }: { readonly java: string; readonly folder: string },
): Promise<object> {
  const [keystore, truststore] = [join(folder, 'keys.p12'), join(folder, 'trusted.p12')];
  const keytool = isAbsolute(java) ? join(dirname(java), 'keytool') : 'keytool';
  const pack = ['pkcs12', '-export', '-in', serverCert, '-inkey', serverKey, '-certfile', ca, '-name', 'server'];
  await runCommand('openssl', [...pack, '-out', keystore, '-passout', `pass:${STORE_PASSWORD}`]);
  await rm(truststore, { force: true });
  const trust = ['-importcert', '-noprompt', '-alias', 'lab', '-file', ca, '-keystore', truststore];
  await runCommand(keytool, [...trust, '-storetype', 'PKCS12', '-storepass', STORE_PASSWORD]);
  return {
    authenticator: 'PasswordAuthenticator',
    client_encryption_options: {
      enabled: true,
      optional: false,
      require_client_auth: true,
      store_type: 'PKCS12',
      ...{ keystore, keystore_password: STORE_PASSWORD, truststore, truststore_password: STORE_PASSWORD },
    },
  };
}

interface Places {
  readonly dataDir: string;
  readonly host: string;
  readonly port: number;
  readonly storagePort: number;
}

/** A small node, for data that may be lost. Spans of time and sizes have other names since 4.1. */
function configurationOf(release: CassandraRelease, { dataDir, host, port, storagePort }: Places): object {
  const isNew = release === '4.1' || release === '5.0';
  return {
    cluster_name: 'lab',
    num_tokens: 1,
    partitioner: 'org.apache.cassandra.dht.Murmur3Partitioner',
    commitlog_sync: 'periodic',
    endpoint_snitch: 'SimpleSnitch',
    seed_provider: [
      {
        class_name: 'org.apache.cassandra.locator.SimpleSeedProvider',
        parameters: [{ seeds: release === '3.11' ? HOST : `${HOST}:${storagePort}` }],
      },
    ],
    listen_address: host,
    rpc_address: host,
    // On a busy machine a node says nothing for seconds, and is not to be taken for dead.
    phi_convict_threshold: 16,
    storage_port: storagePort,
    native_transport_port: port,
    start_native_transport: true,
    data_file_directories: [join(dataDir, 'data')],
    commitlog_directory: join(dataDir, 'commitlog'),
    saved_caches_directory: join(dataDir, 'saved_caches'),
    hints_directory: join(dataDir, 'hints'),
    cdc_raw_directory: join(dataDir, 'cdc'),
    auto_snapshot: false,
    concurrent_compactors: 1,
    ...(isNew
      ? {
          commitlog_sync_period: '10000ms',
          file_cache_size: '32MiB',
          networking_cache_size: '32MiB',
          memtable_heap_space: '64MiB',
          memtable_offheap_space: '64MiB',
          key_cache_size: '8MiB',
          commitlog_segment_size: '8MiB',
        }
      : {
          commitlog_sync_period_in_ms: 10_000,
          file_cache_size_in_mb: 32,
          memtable_heap_space_in_mb: 64,
          memtable_offheap_space_in_mb: 64,
          key_cache_size_in_mb: 8,
          commitlog_segment_size_in_mb: 8,
        }),
  };
}

async function waitUntilUp(
  folder: string,
  process: KeptProcess,
  { host, port }: Pick<LabCassandra, 'host' | 'port'>,
): Promise<void> {
  const deadline = Date.now() + STARTED_WITHIN_MS;
  while (!(await answersAt(port, { host }))) {
    if ((await process.running()) === undefined || Date.now() > deadline) {
      const log = await readFile(join(folder, 'cassandra.log'), 'utf8').catch(() => '');
      throw new Error(`Cassandra did not start:\n${log.trimEnd().split('\n').slice(-12).join('\n')}`);
    }
    await sleep(200);
  }
}

/** Removes a lab's Cassandra for good, running or not. Does nothing when there is none. */
export async function removeCassandra(directory: string): Promise<void> {
  const folder = resolve(directory);
  await keptIn(folder).stop(STOPPED_WITHIN_MS);
  await rm(folder, { recursive: true, force: true });
}
