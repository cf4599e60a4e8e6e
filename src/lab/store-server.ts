import { bringCassandraTool, cassandraToolEnvironment } from '../adapters/cassandra/cassandra-tool.js';
import { withCassandra } from '../adapters/cassandra/cassandra-connection.js';
import { readTables } from '../adapters/cassandra/cassandra-inspect.js';
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { withSearch } from '../adapters/elasticsearch/search-connection.js';
import { bringTemplate } from '../adapters/elasticsearch/search-schema.js';
import { loadCatalogue } from '../adapters/catalogue-file.js';
import { runCommand } from '../adapters/run-command.js';
import type { ToolResolver } from '../adapters/tools/tools.js';
import { CassandraStore, ElasticsearchStore, type StoreInput } from '../core/input/input.js';
import { schemaVersion } from '../core/schema/schema-version.js';
import { readSecret } from '../adapters/secrets.js';
import type { LabCassandra } from './cassandra.js';
import { clientTls, datastoreTls, type Certificates } from './certificates.js';
import { setUpDatabase } from './databases.js';
import type { LabDatabase } from './lab-database.js';
import type { LabSearch } from './opensearch.js';
import { SECURED_USER } from './secure-sql.js';

/** Makes a database with the schema of `version`. */
export interface SetUp {
  readonly version: string;
  readonly tools: ToolResolver;
}

/** A database server as a lab cluster uses it: for its default store, its visibility, or both. */
export interface StoreServer {
  /** As the roll-out is told of one of its databases. */
  inputOf(database: string): StoreInput;
  /** As servers are told of it: an entry of `persistence.datastores`. */
  datastoreOf(database: string, maxConns: number): object;
  /** Makes the database of a part where it is missing. No server of the cluster may run. */
  setUp(part: 'default' | 'visibility', database: string, how: SetUp): Promise<void>;
}

/** A database server that the SQL tool knows; with `certificates` one that was made secure by them. */
export function sqlServer(server: LabDatabase, certificates?: Certificates): StoreServer {
  const { type, plugin, port, password, passwordFile, connectAttributes } = server;
  const user = certificates === undefined ? server.user : SECURED_USER;
  // The library of MySQL holds a certificate against names alone.
  const host = certificates !== undefined && type === 'mysql' ? 'localhost' : server.host;
  const tls = certificates === undefined ? {} : { tls: { ...clientTls(certificates), serverName: host } };
  return {
    inputOf: (database) => {
      const access = { host, port, user, password: { file: passwordFile }, database, ...tls };
      // Plugin and type belong together; the lab's servers say both.
      return { type, plugin, ...access } as StoreInput;
    },
    datastoreOf: (databaseName, maxConns) => ({
      sql: {
        pluginName: plugin,
        databaseName,
        connectAddr: `${host}:${port}`,
        connectProtocol: 'tcp',
        user,
        password,
        maxConns,
        maxIdleConns: maxConns,
        maxConnLifetime: '1h',
        ...(connectAttributes === undefined ? {} : { connectAttributes }),
        ...(certificates === undefined ? {} : { tls: { ...datastoreTls(certificates), serverName: host } }),
      },
    }),
    setUp: (part, database, how) => setUpDatabase(server, { part, database, ...how }),
  };
}

/** How a server is entered that asks who comes. */
export interface Entry {
  readonly certificates: Certificates;
  readonly user: string;
  readonly password: string;
  readonly passwordFile: string;
}

function entryInput({ certificates, user, passwordFile }: Entry): object {
  return { tls: clientTls(certificates), user, password: { file: passwordFile } };
}

/** A node of Cassandra, which asks nobody who they are unless there is an `entry`. Databases are keyspaces. */
export function cassandraServer({ host, port, nodetool, dataDir }: LabCassandra, entry?: Entry): StoreServer {
  const inputOf = (keyspace: string) =>
    CassandraStore.parse({
      type: 'cassandra',
      hosts: [host],
      port,
      keyspace,
      consistency: 'LOCAL_QUORUM',
      snapshots: { nodetool, dataDir },
      ...(entry === undefined ? {} : entryInput(entry)),
    });
  const secured = entry === undefined ? {} : { user: entry.user, password: entry.password };
  const tls = entry === undefined ? {} : { tls: datastoreTls(entry.certificates) };
  return {
    inputOf,
    datastoreOf: (keyspace) => ({ cassandra: { hosts: host, port, keyspace, ...secured, ...tls } }),
    setUp: (part, keyspace, { version, tools }) => setUpKeyspace(inputOf(keyspace), part, { version, tools }),
  };
}

async function setUpKeyspace(
  input: CassandraStore,
  part: 'default' | 'visibility',
  { version, tools }: SetUp,
): Promise<void> {
  const name = input.keyspace;
  await withCassandra({ ...input, keyspace: 'system' }, (client) =>
    client.change(
      `create keyspace if not exists ${client.name(name)} with replication = {'class': 'SimpleStrategy', 'replication_factor': 1}`,
    ),
  );
  const tool = await bringCassandraTool(tools, { kind: part, serverVersion: version }, {});
  const env = cassandraToolEnvironment(input, input.password && (await readSecret(input.password)));
  const run = (args: readonly string[]) => runCommand(tool.program, args, { env, timeoutMs: 180_000 });
  const isSetUp = await withCassandra(input, async (client) => (await readTables(client)).has('schema_version'));
  if (!isSetUp) await run(['setup-schema', '--version', '0.0']);
  await run(['update-schema', ...tool.scripts]);
  // As with SQL: the members of an earlier run are gone.
  if (part === 'default') await withCassandra(input, (client) => client.change('truncate cluster_membership'));
}

/** A search server, which asks nobody who they are unless there is an `entry`. Databases are indexes, for visibility alone. */
export function searchServer({ url }: Pick<LabSearch, 'url'>, entry?: Entry): StoreServer {
  const inputOf = (index: string) =>
    ElasticsearchStore.parse({ type: 'elasticsearch', url, index, ...(entry === undefined ? {} : entryInput(entry)) });
  const { host, protocol } = new URL(url);
  return {
    inputOf,
    datastoreOf: (index) => ({
      elasticsearch: {
        version: 'v7',
        url: { scheme: protocol.replace(':', ''), host },
        indices: { visibility: index },
        ...(entry === undefined
          ? {}
          : { username: entry.user, password: entry.password, tls: datastoreTls(entry.certificates) }),
      },
    }),
    setUp: async (part, index, how) => {
      if (part === 'default') throw new TypeError('a search server cannot be the default store');
      await setUpIndex(inputOf(index), how);
    },
  };
}

const Template = z.looseObject({ settings: z.unknown(), mappings: z.unknown() });

async function setUpIndex(input: ElasticsearchStore, { version, tools }: SetUp): Promise<void> {
  const to = schemaVersion(await loadCatalogue(), version, 'elasticsearch', 'visibility');
  const file = await bringTemplate({ to, serverVersion: version, tools }, {});
  const { settings, mappings } = Template.parse(JSON.parse(await readFile(file, 'utf8')));
  await withSearch(input, async (client) => {
    const path = `/${input.index}`;
    if (!(await client.has(path))) await client.send('PUT', { path, body: { settings, mappings } }, z.unknown());
  });
}
