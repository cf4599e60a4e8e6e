import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { withMysql } from '../../src/adapters/mysql/mysql-connection.js';
import { MYSQL_BIN_VARIABLE } from '../../src/adapters/mysql/mysql-programs.js';
import { runCommand } from '../../src/adapters/run-command.js';
import {
  bringSchemaTool,
  scriptsFolder,
  sqlToolEnvironment,
  updateSchemaArguments,
  type SchemaTool,
} from '../../src/adapters/sql/sql-tool.js';
import { createStore } from '../../src/adapters/stores.js';
import { createToolResolver } from '../../src/adapters/tools/tool-resolver.js';
import { PreconditionError } from '../../src/core/errors.js';
import type { MysqlStore } from '../../src/core/input/input.js';
import { startMysql, type LabMysql } from '../../src/lab/mysql.js';

/** What is MySQL's own: each statement of a schema step is kept. What every store does is in store-contract.test.ts. */

const OLD = '1.29.1';
const NEXT = { to: '1.13', serverVersion: '1.30.7' } as const;
const FOLDER = scriptsFolder({ plugin: 'mysql8' }, 'visibility');
const TIMEOUT_MS = 120_000;
const tools = createToolResolver();
let mysql: LabMysql;
let folder: string;
let tool: SchemaTool;

beforeAll(async () => {
  mysql = await startMysql();
  folder = await mkdtemp(join(tmpdir(), 'temporal-upgrade-mysql-'));
  process.env[MYSQL_BIN_VARIABLE] = mysql.binDir;
  tool = await bringSchemaTool(tools, { folder: FOLDER, serverVersion: NEXT.serverVersion }, {});
}, 600_000);
afterAll(async () => {
  await mysql?.stop();
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
});

function inputOf(database: string): MysqlStore {
  const { host, port, user, passwordFile } = mysql;
  return { type: 'mysql', plugin: 'mysql8', host, port, database, user, password: { file: passwordFile } };
}

const ask = (database: string, sql: string) => withMysql(inputOf(database), (client) => client.ask(sql));

/** A visibility database of its own, at the schema of 1.29.1, or an older one. */
async function freshVisibility(database: string, to?: string) {
  await mysql.createDatabase(database);
  const old = await bringSchemaTool(tools, { folder: FOLDER, serverVersion: OLD }, {});
  const env = sqlToolEnvironment(inputOf(database), mysql.password);
  await runCommand(old.program, ['setup-schema', '--version', '0.0'], { env });
  await runCommand(old.program, updateSchemaArguments(old, to), { env });
  return createStore(inputOf(database), 'visibility', tools);
}

/** The tool as a worker leaves it that was killed: at work, and nobody holds the lock. */
function startTool(database: string): ChildProcess {
  return spawn(tool.program, updateSchemaArguments(tool, NEXT.to), {
    env: sqlToolEnvironment(inputOf(database), mysql.password),
    stdio: 'ignore',
  });
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}

const waitingForTable = (database: string) =>
  ask(
    database,
    `select id from information_schema.processlist where db = '${database}' and state like 'Waiting for table%'`,
  );

/** A transaction that has read visibility: whoever changes the table waits for it, and readers wait behind that one. */
function readAndHold(database: string): { readonly holds: Promise<undefined>; letGo(): Promise<void> } {
  const letGo = new AbortController();
  const held = Promise.withResolvers<undefined>();
  const session = withMysql(inputOf(database), async (client) => {
    await client.act('start transaction');
    await client.ask('select * from executions_visibility limit 1');
    held.resolve(undefined);
    if (!letGo.signal.aborted) await once(letGo.signal, 'abort');
  });
  return {
    holds: held.promise,
    letGo: () => {
      letGo.abort();
      return session;
    },
  };
}

/** Lets a tool carry out so many statements on the table of visibility, and kills it while it waits for the next. */
async function killAtStatement(database: string, statements: number): Promise<void> {
  let holder = readAndHold(database);
  await holder.holds;
  const child = startTool(database);
  for (let done = 0; ; done += 1) {
    while ((await waitingForTable(database)).length === 0) await sleep(50);
    if (done === statements) break;
    const next = readAndHold(database);
    while ((await waitingForTable(database)).length < 2) await sleep(50);
    await holder.letGo();
    await next.holds;
    holder = next;
  }
  await kill(child);
  // As when its host died: the database ends the session, and with it the statement that waits.
  for (const { id } of (await waitingForTable(database)) as { id: string }[]) await ask(database, `kill ${Number(id)}`);
  // A session that is given the table before it has noticed that it was killed does its statement after all.
  while ((await waitingForTable(database)).length > 0) await sleep(50);
  await holder.letGo();
}

describe('a schema tool that was killed within a step', () => {
  test.each([
    { statements: 0, at: '1.9', takenBack: [] },
    { statements: 1, at: '1.9', takenBack: ['column TemporalReportedProblems of table executions_visibility'] },
    { statements: 2, at: '1.12', takenBack: [] },
    {
      statements: 3,
      at: '1.12',
      takenBack: ['column TemporalUsedWorkerDeploymentVersions of table executions_visibility'],
    },
  ])(
    'after $statements statements on visibility: what it left is seen before, and taken back',
    async ({ statements, at, takenBack }) => {
      const database = `killed_at_${statements}`;
      const store = await freshVisibility(database);
      await killAtStatement(database, statements);
      expect(await store.readSchemaVersion()).toBe(at);

      const { scripts } = await store.survey({ folder: FOLDER, schemaTo: NEXT.to, backupDir: folder });
      const left = scripts !== undefined && 'seen' in scripts ? scripts.seen.leftOvers : undefined;
      expect(left?.map(({ what }) => what)).toEqual(takenBack.map((what) => `${what} is there already`));

      expect(await store.updateSchema(NEXT)).toEqual(
        takenBack.map((what) => `${what} is there already, left by an unfinished step: taken back`),
      );
      expect(await store.readSchemaVersion()).toBe(NEXT.to);
      const { shape } = await store.survey({ folder: FOLDER, schemaTo: NEXT.to, backupDir: folder });
      expect(shape).toEqual({ seen: [] });
    },
    TIMEOUT_MS,
  );

  test(
    'at ten moments of its work, with the statement under way left to the database',
    async () => {
      const whole = await freshVisibility('measured');
      const began = Date.now();
      await once(startTool('measured'), 'exit');
      const tookMs = Date.now() - began;
      expect(await whole.readSchemaVersion()).toBe(NEXT.to);
      for (let moment = 1; moment <= 10; moment += 1) {
        const database = `killed_then_${moment}`;
        const store = await freshVisibility(database);
        const child = startTool(database);
        await sleep((tookMs * moment) / 11);
        await kill(child);
        await store.updateSchema(NEXT);
        expect(await store.readSchemaVersion()).toBe(NEXT.to);
        const { shape } = await store.survey({ folder: FOLDER, schemaTo: NEXT.to, backupDir: folder });
        expect(shape).toEqual({ seen: [] });
      }
    },
    TIMEOUT_MS,
  );
});

/** State in which a tool leaves a database with a row that is killed after these statements of the version that comes after `at`. */
test.each([
  {
    what: 'a column that is added anew was dropped, with its indexes',
    at: '1.5',
    done: [
      'drop index by_root_workflow_id on executions_visibility',
      'drop index by_root_run_id on executions_visibility',
      'alter table executions_visibility drop column root_workflow_id',
    ],
    left: [
      'column root_workflow_id of table executions_visibility is gone already',
      'index by_root_run_id of table executions_visibility is gone already',
      'index by_root_workflow_id of table executions_visibility is gone already',
    ],
  },
  {
    what: 'a column was added that a later version of the hop makes otherwise',
    at: '1.4',
    done: ['alter table executions_visibility add column root_workflow_id varchar(255) null'],
    left: ['column root_workflow_id of table executions_visibility is there already'],
  },
  {
    what: 'a column with a default was added, which all rows have',
    at: '1.8',
    done: ['alter table executions_visibility add column _version bigint not null default 0'],
    left: ['column _version of table executions_visibility is there already'],
  },
])(
  '$what: told before, and taken back',
  async ({ at, done, left }) => {
    const database = `half_of_${at.replace('.', '_')}`;
    const store = await freshVisibility(database, at);
    await mysql.run(
      database,
      `insert into executions_visibility (namespace_id, run_id, start_time, execution_time, workflow_id, workflow_type_name, status, encoding)
       values ('n', 'r', now(), now(), 'w', 't', 1, 'Proto3')`,
    );
    for (const statement of done) await mysql.run(database, statement);
    const look = () => store.survey({ folder: FOLDER, schemaTo: '1.9', backupDir: folder });
    const { scripts } = await look();
    const told = scripts !== undefined && 'seen' in scripts ? (scripts.seen.leftOvers ?? []) : [];
    expect(told.map(({ what, doubt }) => ({ what, doubt }))).toEqual(left.map((what) => ({ what })));
    expect(await store.updateSchema({ to: '1.9', serverVersion: OLD })).toEqual(
      left.map((what) => `${what}, left by an unfinished step: taken back`),
    );
    expect(await store.readSchemaVersion()).toBe('1.9');
    expect((await look()).shape).toEqual({ seen: [] });
    expect(await ask(database, 'select workflow_id from executions_visibility')).toEqual([{ workflow_id: 'w' }]);
  },
  TIMEOUT_MS,
);

test(
  'what somebody else made under a name of the coming scripts is named, and nothing is changed',
  async () => {
    const store = await freshVisibility('foreign');
    await mysql.run('foreign', 'alter table executions_visibility add column TemporalReportedProblems varchar(20)');
    const failure: unknown = await store.updateSchema(NEXT).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(PreconditionError);
    expect(String(failure)).toContain(
      'column TemporalReportedProblems of table executions_visibility is there already, and it is not what the scripts make: ' +
        'ALTER TABLE executions_visibility DROP COLUMN `TemporalReportedProblems`;',
    );
    expect(await store.readSchemaVersion()).toBe('1.9');
    await mysql.run('foreign', 'alter table executions_visibility drop column TemporalReportedProblems');
    expect(await store.updateSchema(NEXT)).toEqual([]);
  },
  TIMEOUT_MS,
);
