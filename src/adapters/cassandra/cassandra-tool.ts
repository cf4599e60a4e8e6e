import type { CassandraStore } from '../../core/input/input.js';
import { compareVersions } from '../../core/version.js';
import type { StoreRole, Work } from '../store.js';
import type { ToolResolver } from '../tools/tools.js';

/** First version whose schema tools carry the scripts within themselves (`--schema-name`), as with the SQL tool. */
const FIRST_WITH_EMBEDDED_SCRIPTS = '1.23.0';
/** Seconds that one statement may take: those of a large cluster wait until all nodes agree. */
const STATEMENT_SECONDS = 60;

/** The schema tool of a server version, with all that it needs to bring a keyspace to that version's schema. */
export interface CassandraTool {
  readonly program: string;
  /** `--schema-name` or `--schema-dir`, with its value. */
  readonly scripts: readonly [flag: string, value: string];
}

/** Folder of the scripts below the server's `schema/`; visibility in Cassandra ended with 1.23. */
export function cassandraScripts(kind: StoreRole): string {
  return `cassandra/${kind === 'default' ? 'temporal' : 'visibility'}`;
}

/** Finds or brings the schema tool of `serverVersion`, and its scripts where it has none within. @throws ToolUnavailableError */
export async function bringCassandraTool(
  tools: ToolResolver,
  { kind, serverVersion }: { readonly kind: StoreRole; readonly serverVersion: string },
  work: Work,
): Promise<CassandraTool> {
  const program = await tools.serverTool('temporal-cassandra-tool', serverVersion, work);
  const folder = cassandraScripts(kind);
  if (compareVersions(serverVersion, FIRST_WITH_EMBEDDED_SCRIPTS) >= 0)
    return { program, scripts: ['--schema-name', folder] };
  return { program, scripts: ['--schema-dir', await tools.schemaScripts(folder, serverVersion, work)] };
}

/** Settings of `temporal-cassandra-tool` by environment (tools/cassandra/main.go of the server); no secret is an argument. */
export function cassandraToolEnvironment(input: CassandraStore, password: string | undefined): Record<string, string> {
  const tls = input.tls === undefined || input.tls === true ? {} : input.tls;
  return {
    CASSANDRA_HOST: input.hosts.join(','),
    CASSANDRA_PORT: String(input.port),
    CASSANDRA_KEYSPACE: input.keyspace,
    CASSANDRA_TIMEOUT: String(STATEMENT_SECONDS),
    ...(input.user === undefined ? {} : { CASSANDRA_USER: input.user }),
    ...(password === undefined ? {} : { CASSANDRA_PASSWORD: password }),
    ...(input.datacenter === undefined ? {} : { CASSANDRA_DATACENTER: input.datacenter }),
    ...(input.tls === undefined ? {} : { CASSANDRA_ENABLE_TLS: 'true' }),
    ...(tls.serverCaFile === undefined ? {} : { CASSANDRA_TLS_CA: tls.serverCaFile }),
    ...(tls.clientCertFile === undefined ? {} : { CASSANDRA_TLS_CERT: tls.clientCertFile }),
    ...(tls.clientKeyFile === undefined ? {} : { CASSANDRA_TLS_KEY: tls.clientKeyFile }),
    ...(tls.serverName === undefined ? {} : { CASSANDRA_TLS_SERVER_NAME: tls.serverName }),
  };
}
