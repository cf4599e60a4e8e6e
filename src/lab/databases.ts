import pg from 'pg';
import { runCommand } from '../adapters/run-command.js';
import { bringSchemaTool, updateSchemaArguments, type SchemaTool } from '../adapters/postgres/sql-tool.js';
import type { ToolResolver } from '../adapters/tools/tools.js';
import type { LabPostgres } from './postgres.js';
import { databasesOf } from './server-config.js';

/**
 * Creates the two databases of a lab cluster where they are missing, and gives them the schema of `version` with the SQL
 * tool of that version. No server of the cluster may run.
 */
export async function setUpDatabases(
  postgres: LabPostgres,
  {
    clusterName,
    version,
    tools,
  }: { readonly clusterName: string; readonly version: string; readonly tools: ToolResolver },
): Promise<void> {
  const databases = databasesOf(clusterName);
  for (const kind of ['default', 'visibility'] as const) {
    const tool = await bringSchemaTool(tools, { kind, serverVersion: version }, {});
    await setUpDatabase(postgres, { tool, database: databases[kind] });
  }
  // The members of an earlier run, on other ports: new ones would call each of them for up to half a minute, and may
  // give up. Nothing of the cluster runs now, so the list is to be empty.
  await withDatabase(postgres, databases.default, (client) => client.query('delete from cluster_membership'));
}

async function setUpDatabase(
  postgres: LabPostgres,
  { tool, database }: { readonly tool: SchemaTool; readonly database: string },
): Promise<void> {
  await withDatabase(postgres, 'postgres', async (client) => {
    const { rowCount } = await client.query('select 1 from pg_database where datname = $1', [database]);
    if (rowCount === 0) await client.query(`create database ${client.escapeIdentifier(database)}`);
  });
  const env = {
    SQL_PLUGIN: 'postgres12',
    SQL_HOST: postgres.host,
    SQL_PORT: String(postgres.port),
    SQL_USER: postgres.user,
    SQL_PASSWORD: postgres.password,
    SQL_DATABASE: database,
  };
  // setup-schema only ever on an empty database: it would start the version table of a used one again from zero.
  const isEmpty = await withDatabase(postgres, database, async (client) => {
    const { rows } = await client.query<{ table: string | null }>(`select to_regclass('schema_version') as table`);
    return rows[0]?.table === null;
  });
  if (isEmpty) await runCommand(tool.program, ['setup-schema', '--version', '0.0'], { env, timeoutMs: 60_000 });
  await runCommand(tool.program, updateSchemaArguments(tool), { env, timeoutMs: 120_000 });
}

async function withDatabase<T>(
  { host, port, user, password }: LabPostgres,
  database: string,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = new pg.Client({ host, port, user, password, database });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
