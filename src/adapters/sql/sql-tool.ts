import type { SqlStore } from '../../core/input/input.js';
import { compareVersions } from '../../core/version.js';
import { plainHost } from '../plain-host.js';
import type { StoreRole, Work } from '../store.js';
import type { ToolResolver } from '../tools/tools.js';

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

/** Folders of the scripts below the server's `schema/`, by plugin (schema/postgresql and schema/mysql of the server). */
const FOLDERS: Readonly<Record<SqlStore['plugin'], string>> = {
  postgres12: 'postgresql/v12',
  postgres12_pgx: 'postgresql/v12',
  postgres: 'postgresql/v96',
  mysql8: 'mysql/v8',
  mysql: 'mysql/v57',
};

/** Folder of the scripts of a store, such as `mysql/v8/visibility`. */
export function scriptsFolder({ plugin }: Pick<SqlStore, 'plugin'>, kind: StoreRole): string {
  return `${FOLDERS[plugin]}/${kind === 'default' ? 'temporal' : 'visibility'}`;
}

/** Finds or brings the schema tool of `serverVersion`, and its scripts where it has none within. @throws ToolUnavailableError */
export async function bringSchemaTool(
  tools: ToolResolver,
  { folder, serverVersion }: { readonly folder: string; readonly serverVersion: string },
  work: Work,
): Promise<SchemaTool> {
  const program = await tools.serverTool('temporal-sql-tool', serverVersion, work);
  if (compareVersions(serverVersion, FIRST_WITH_EMBEDDED_SCRIPTS) >= 0) {
    return { program, scripts: ['--schema-name', folder] };
  }
  return { program, scripts: ['--schema-dir', await tools.schemaScripts(folder, serverVersion, work)] };
}

/**
 * Arguments of `temporal-sql-tool` that bring a database to schema `to`, or to the newest that the tool knows; no secret, no
 * `--quiet` (it hides the exit code), no other command than this one.
 */
export function updateSchemaArguments({ scripts }: Pick<SchemaTool, 'scripts'>, to?: string): string[] {
  return ['update-schema', ...scripts, ...(to === undefined ? [] : ['--version', to])];
}

/** Settings of `temporal-sql-tool` by environment, as all its versions read them. */
export function sqlToolEnvironment(input: SqlStore, password: string | undefined): Record<string, string> {
  const host = plainHost(input.host);
  return {
    SQL_PLUGIN: input.plugin,
    SQL_HOST: host.includes(':') ? `[${host}]` : host, // the tool joins host and port by a colon
    SQL_PORT: String(input.port),
    SQL_USER: input.user,
    SQL_DATABASE: input.database,
    // What MySQL's driver is given there becomes a system variable, and none of those is a name.
    ...(input.type === 'postgresql' ? { SQL_CONNECT_ATTRIBUTES: `application_name=${SCHEMA_TOOL_NAME}` } : {}),
    ...(password === undefined ? {} : { SQL_PASSWORD: password }),
    ...tlsEnvironment(input),
  };
}

function tlsEnvironment(input: SqlStore): Record<string, string> {
  if (input.tls === undefined) return {};
  if (input.tls === true) return { SQL_TLS: 'true' };
  const { serverCaFile, clientCertFile, clientKeyFile, serverName } = input.tls;
  return {
    SQL_TLS: 'true',
    ...(serverCaFile === undefined ? {} : { SQL_TLS_CA_FILE: serverCaFile }),
    ...(clientCertFile === undefined ? {} : { SQL_TLS_CERT_FILE: clientCertFile }),
    ...(clientKeyFile === undefined ? {} : { SQL_TLS_KEY_FILE: clientKeyFile }),
    ...(serverName === undefined || serverName === input.host ? {} : otherName(input, serverName)),
  };
}

/**
 * The tool has no way to expect another name than the host's for PostgreSQL. The authority is still verified, and our own
 * connection, made just before, has verified the name.
 */
function otherName({ type }: SqlStore, serverName: string): Record<string, string> {
  return {
    SQL_TLS_SERVER_NAME: serverName,
    ...(type === 'postgresql' ? { SQL_TLS_DISABLE_HOST_VERIFICATION: 'true' } : {}),
  };
}
