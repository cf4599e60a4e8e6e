import type { PostgresStore } from '../../core/input/input.js';
import { compareVersions } from '../../core/version.js';
import type { Work } from '../store.js';
import type { ToolResolver } from '../tools/tools.js';
import { plainHost } from './postgres-connection.js';
import type { StoreRole } from './postgres-inspect.js';

/** Name under which the database sees the schema tool, so that a statement left behind by a killed one can be found. */
export const SCHEMA_TOOL_NAME = 'temporal-upgrade-schema';

/**
 * First version whose schema tools carry the scripts within themselves (`--schema-name`); older ones want them as a folder.
 * Read in tools/common/schema of the server at 1.22.7 and 1.23.0.
 */
const FIRST_WITH_EMBEDDED_SCRIPTS = '1.23.0';

/** The schema tool of a server version, with all that it needs to bring a database to that version's schema. */
export interface SchemaTool {
  readonly program: string;
  /** Where its scripts are: `--schema-name` or `--schema-dir`, with its value. */
  readonly scripts: readonly [flag: string, value: string];
}

/** Finds or brings the schema tool of `serverVersion`, and its scripts where it has none within. @throws ToolUnavailableError */
export async function bringSchemaTool(
  tools: ToolResolver,
  { kind, serverVersion }: { readonly kind: StoreRole; readonly serverVersion: string },
  work: Work,
): Promise<SchemaTool> {
  const store = kind === 'default' ? 'postgresql/v12/temporal' : 'postgresql/v12/visibility';
  const program = await tools.serverTool('temporal-sql-tool', serverVersion, work);
  if (compareVersions(serverVersion, FIRST_WITH_EMBEDDED_SCRIPTS) >= 0) {
    return { program, scripts: ['--schema-name', store] };
  }
  return { program, scripts: ['--schema-dir', await tools.schemaScripts(store, serverVersion, work)] };
}

/**
 * Arguments of `temporal-sql-tool` that bring a database to schema `to`, or to the newest that the tool knows; no secret, no
 * `--quiet` (it hides the exit code), no other command than this one.
 */
export function updateSchemaArguments({ scripts }: Pick<SchemaTool, 'scripts'>, to?: string): string[] {
  return ['update-schema', ...scripts, ...(to === undefined ? [] : ['--version', to])];
}

/** Settings of `temporal-sql-tool` by environment, as all its versions read them. */
export function sqlToolEnvironment(input: PostgresStore, password: string | undefined): Record<string, string> {
  const host = plainHost(input.host);
  return {
    SQL_PLUGIN: input.plugin,
    SQL_HOST: host.includes(':') ? `[${host}]` : host, // the tool joins host and port by a colon
    SQL_PORT: String(input.port),
    SQL_USER: input.user,
    SQL_DATABASE: input.database,
    SQL_CONNECT_ATTRIBUTES: `application_name=${SCHEMA_TOOL_NAME}`,
    ...(password === undefined ? {} : { SQL_PASSWORD: password }),
    ...tlsEnvironment(input),
  };
}

function tlsEnvironment(input: PostgresStore): Record<string, string> {
  if (input.tls === undefined) return {};
  if (input.tls === true) return { SQL_TLS: 'true' };
  const { serverCaFile, clientCertFile, clientKeyFile, serverName } = input.tls;
  return {
    SQL_TLS: 'true',
    ...(serverCaFile === undefined ? {} : { SQL_TLS_CA_FILE: serverCaFile }),
    ...(clientCertFile === undefined ? {} : { SQL_TLS_CERT_FILE: clientCertFile }),
    ...(clientKeyFile === undefined ? {} : { SQL_TLS_KEY_FILE: clientKeyFile }),
    // The tool has no way to expect another name than the host's for PostgreSQL. The authority is still verified, and
    // our own connection, made just before, has verified the name.
    ...(serverName === undefined || serverName === input.host
      ? {}
      : { SQL_TLS_SERVER_NAME: serverName, SQL_TLS_DISABLE_HOST_VERIFICATION: 'true' }),
  };
}
