import { runCommand } from '../adapters/run-command.js';
import { bringSchemaTool, scriptsFolder, updateSchemaArguments } from '../adapters/sql/sql-tool.js';
import type { ToolResolver } from '../adapters/tools/tools.js';
import type { LabDatabase } from './lab-database.js';
import { databasesOf } from './server-config.js';

/**
 * Creates the two databases of a lab cluster where they are missing, and gives them the schema of `version` with the SQL
 * tool of that version. No server of the cluster may run.
 */
export async function setUpDatabases(
  server: LabDatabase,
  {
    clusterName,
    version,
    tools,
  }: { readonly clusterName: string; readonly version: string; readonly tools: ToolResolver },
): Promise<void> {
  const databases = databasesOf(clusterName);
  for (const part of ['default', 'visibility'] as const) {
    await setUpDatabase(server, { part, database: databases[part], version, tools });
  }
}

interface DatabaseSetUp {
  readonly part: 'default' | 'visibility';
  readonly database: string;
  readonly version: string;
  readonly tools: ToolResolver;
}

/** One of them. */
export async function setUpDatabase(
  server: LabDatabase,
  { part, database, version, tools }: DatabaseSetUp,
): Promise<void> {
  const tool = await bringSchemaTool(tools, { folder: scriptsFolder(server, part), serverVersion: version }, {});
  await server.createDatabase(database);
  const env = {
    SQL_PLUGIN: server.plugin,
    SQL_HOST: server.host,
    SQL_PORT: String(server.port),
    SQL_USER: server.user,
    SQL_PASSWORD: server.password,
    SQL_DATABASE: database,
    ...(server.connectAttributes === undefined
      ? {}
      : { SQL_CONNECT_ATTRIBUTES: new URLSearchParams(server.connectAttributes).toString() }),
  };
  // setup-schema only ever on an empty database: it would start the version table of a used one again from zero.
  const isSetUp = await server.hasTable(database, 'schema_version');
  if (!isSetUp) await runCommand(tool.program, ['setup-schema', '--version', '0.0'], { env, timeoutMs: 60_000 });
  await runCommand(tool.program, updateSchemaArguments(tool), { env, timeoutMs: 120_000 });
  // The members of an earlier run, on other ports: new ones would call each of them for up to half a minute, and may
  // give up. Nothing of the cluster runs now, so the list is to be empty.
  if (part === 'default') await server.run(database, 'delete from cluster_membership');
}
