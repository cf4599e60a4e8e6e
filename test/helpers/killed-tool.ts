import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import {
  bringSchemaTool,
  SCHEMA_TOOL_NAME,
  scriptsFolder,
  sqlToolEnvironment,
  updateSchemaArguments,
} from '../../src/adapters/sql/sql-tool.js';
import type { StoreRole } from '../../src/adapters/store.js';
import type { ToolResolver } from '../../src/adapters/tools/tools.js';
import type { PostgresStore } from '../../src/core/input/input.js';
import type { LabPostgres } from '../../src/lab/postgres.js';

/** Key of the lock before which the tool waits. */
const HELD = 4711;

/** A store of a lab, and the update of its schema. */
export interface KilledUpdate {
  readonly input: PostgresStore;
  readonly kind: StoreRole;
  readonly to: string;
  readonly serverVersion: string;
  readonly tools: ToolResolver;
}

/**
 * Lets the real schema tool carry out so many statements that change tables, counted over all its versions, holds it before the next,
 * and ends it with SIGKILL, and its session, as when its host dies. @returns whether it was held: false when it has no such statement
 */
export async function killToolAfter(statements: number, server: LabPostgres, update: KilledUpdate): Promise<boolean> {
  const { input, kind, to, serverVersion, tools } = update;
  const { host, port, user, password } = server;
  const client = new pg.Client({ host, port, user, password, database: input.database });
  await client.connect();
  try {
    await client.query(`select pg_advisory_lock(${HELD})`);
    await client.query(
      `create sequence statements_begun;
       create function hold_tool() returns event_trigger language plpgsql as $$ begin
         if current_setting('application_name') = '${SCHEMA_TOOL_NAME}' and nextval('statements_begun') > ${statements} then
           perform pg_advisory_lock(${HELD});
         end if;
       end $$;
       create event trigger hold_tool on ddl_command_start execute function hold_tool()`,
    );
    const tool = await bringSchemaTool(tools, { folder: scriptsFolder(input, kind), serverVersion }, {});
    const child = spawn(tool.program, updateSchemaArguments(tool, to), {
      env: sqlToolEnvironment(input, password),
      stdio: 'ignore',
    });
    const ended = once(child, 'exit');
    let held: number | undefined;
    while (child.exitCode === null && held === undefined) {
      await sleep(20);
      const { rows } = await client.query<{ pid: number }>(
        `select pid from pg_locks where locktype = 'advisory' and not granted
           and database = (select oid from pg_database where datname = current_database())`,
      );
      held = rows[0]?.pid;
    }
    child.kill('SIGKILL');
    await ended;
    if (held !== undefined) await client.query('select pg_terminate_backend($1)', [held]);
    await client.query('drop event trigger hold_tool; drop function hold_tool; drop sequence statements_begun');
    return held !== undefined;
  } finally {
    await client.end();
  }
}
