import { compareVersions, minorOf } from '../../core/version.js';
import { PreconditionError } from '../../core/errors.js';
import type { PostgresStore } from '../../core/input.js';
import { plainHost } from './postgres-connection.js';
import type { StoreRole } from './postgres-inspect.js';

/** Name under which the database sees the schema tool, so that a statement left behind by a killed one can be found. */
export const SCHEMA_TOOL_NAME = 'temporal-upgrade-schema';

/** First minor whose schema tool carries the scripts within itself (`--schema-name`). */
const FIRST_WITH_EMBEDDED_SCHEMA = '1.23';

/** Arguments of `temporal-sql-tool`; no secret, no `--quiet` (it hides the exit code), no other command than this one. */
export function updateSchemaArguments(kind: StoreRole, to: string): string[] {
  const directory = kind === 'default' ? 'postgresql/v12/temporal' : 'postgresql/v12/visibility';
  return ['update-schema', '--schema-name', directory, '--version', to];
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

/** @throws PreconditionError when the schema tool of `serverVersion` needs a folder of scripts beside it */
export function checkToolVersion(serverVersion: string): void {
  if (compareVersions(minorOf(serverVersion), FIRST_WITH_EMBEDDED_SCHEMA) >= 0) return;
  throw new PreconditionError(
    `the schema tool of ${serverVersion} needs its scripts in a folder, which this version cannot do; hops to ` +
      `${FIRST_WITH_EMBEDDED_SCHEMA} and later can be done`,
    { serverVersion, needed: FIRST_WITH_EMBEDDED_SCHEMA },
  );
}
