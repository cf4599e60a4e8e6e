import pg from 'pg';
import { withCassandra, type CassandraClient } from '../adapters/cassandra/cassandra-connection.js';
import { readVersion } from '../adapters/cassandra/cassandra-inspect.js';
import { readShape as readCassandraShape } from '../adapters/cassandra/cassandra-shape.js';
import { withMysql, type MysqlClient } from '../adapters/mysql/mysql-connection.js';
import { readServer as readMysqlServer } from '../adapters/mysql/mysql-inspect.js';
import { readShape as readMysqlShape } from '../adapters/mysql/mysql-shape.js';
import { readShape } from '../adapters/postgres/postgres-shape.js';
import { readServer } from '../adapters/postgres/postgres-inspect.js';
import { CassandraStore } from '../core/input/input.js';
import { changeBetween, type ShapeFile } from '../core/schema/shape-file.js';
import type { SchemaShape } from '../core/schema/schema-shape.js';
import { compareSchemaVersions } from '../core/version.js';
import type { LabCassandra } from '../lab/cassandra.js';
import type { LabMysql } from '../lab/mysql.js';
import type { LabPostgres } from '../lab/postgres.js';
import { splitStatements } from './split-statements.js';
import type { VersionedScripts } from './versioned-scripts.js';

/** An empty database, in which scripts can be run. */
export interface EmptyDatabase {
  /** Such as `PostgreSQL 17.10`. */
  readonly product: string;
  run(statement: string): Promise<unknown>;
  readShape(): Promise<SchemaShape>;
}

/**
 * Runs the scripts of one store in order, and lets the database report the shape after each version from the first that a server
 * expects: nobody rests between two of those, but a schema tool may be killed there.
 */
export async function makeShapes(
  database: EmptyDatabase,
  steps: readonly VersionedScripts[],
  { first, scriptsOf }: { readonly first: string; readonly scriptsOf: string },
): Promise<ShapeFile> {
  const shapes: ShapeFile['shapes'] = {};
  let before: SchemaShape = {};
  for (const step of steps) {
    await runScripts(database, step);
    if (compareSchemaVersions(step.version, first) < 0) continue;
    const after = await database.readShape();
    shapes[step.version] = changeBetween(before, after);
    before = after;
  }
  return { store: steps[0]?.store ?? '', scriptsOf, reportedBy: database.product, shapes };
}

/** One statement at a time, as the schema tool does: PostgreSQL builds no index concurrently among others. */
export async function runScripts(
  { run }: Pick<EmptyDatabase, 'run'>,
  { scripts }: Pick<VersionedScripts, 'scripts'>,
): Promise<void> {
  for (const statement of scripts.flatMap(splitStatements)) await run(statement);
}

const SCRATCH = 'temporal_shapes';

/** A database of PostgreSQL by its connection. */
export async function emptyPostgres(client: pg.Client): Promise<EmptyDatabase> {
  const { version } = await readServer(client);
  return {
    product: `PostgreSQL ${version}`,
    run: (statement) => client.query(statement),
    readShape: () => readShape(client),
  };
}

/** A database of MySQL by its connection. */
export async function emptyMysql(client: MysqlClient): Promise<EmptyDatabase> {
  const { product, version } = await readMysqlServer(client);
  return {
    product: `${product} ${version}`,
    run: (statement) => client.act(statement),
    readShape: () => readMysqlShape(client),
  };
}

/** A keyspace of Cassandra by its session. */
export async function emptyCassandra(client: CassandraClient): Promise<EmptyDatabase> {
  return {
    product: `Cassandra ${await readVersion(client)}`,
    run: (statement) => client.change(statement),
    readShape: () => readCassandraShape(client),
  };
}

/** Runs `work` in a database of its own, which is removed afterwards; one that a killed run left is removed before. */
export async function withEmptyDatabase<T>(
  { host, port, user, password }: LabPostgres,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const admin = new pg.Client({ host, port, user, password, database: 'postgres' });
  await admin.connect();
  try {
    await admin.query(`drop database if exists ${SCRATCH}`);
    await admin.query(`create database ${SCRATCH}`);
    const client = new pg.Client({ host, port, user, password, database: SCRATCH });
    await client.connect();
    try {
      return await work(client);
    } finally {
      await client.end();
      await admin.query(`drop database ${SCRATCH}`);
    }
  } finally {
    await admin.end();
  }
}

/** As {@link withEmptyDatabase}, with MySQL. */
export async function withEmptyMysql<T>(
  { host, port, user, passwordFile }: LabMysql,
  work: (client: MysqlClient) => Promise<T>,
): Promise<T> {
  const input = { type: 'mysql', plugin: 'mysql8', host, port, user, password: { file: passwordFile } } as const;
  return withMysql({ ...input, database: 'mysql' }, async (admin) => {
    await admin.act(`drop database if exists ${SCRATCH}`);
    // As the schema tool makes it (common/persistence/sql/sqlplugin/mysql/admin.go of the server).
    await admin.act(`create database ${SCRATCH} character set utf8mb4`);
    try {
      return await withMysql({ ...input, database: SCRATCH }, work);
    } finally {
      await admin.act(`drop database ${SCRATCH}`);
    }
  });
}

/** As {@link withEmptyDatabase}, with Cassandra. */
export async function withEmptyKeyspace<T>(
  { host, port }: LabCassandra,
  work: (client: CassandraClient) => Promise<T>,
): Promise<T> {
  const input = CassandraStore.parse({ type: 'cassandra', hosts: [host], port, keyspace: 'system' });
  return withCassandra(input, async (admin) => {
    await admin.change(`drop keyspace if exists ${SCRATCH}`);
    await admin.change(
      `create keyspace ${SCRATCH} with replication = {'class': 'SimpleStrategy', 'replication_factor': 1}`,
    );
    try {
      return await withCassandra({ ...input, keyspace: SCRATCH }, work);
    } finally {
      await admin.change(`drop keyspace ${SCRATCH}`);
    }
  });
}
