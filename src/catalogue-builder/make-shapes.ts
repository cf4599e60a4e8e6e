import pg from 'pg';
import { readShape } from '../adapters/postgres/postgres-shape.js';
import { readServer } from '../adapters/postgres/postgres-inspect.js';
import { changeBetween, type ShapeFile } from '../core/schema/shape-file.js';
import type { SchemaShape } from '../core/schema/schema-shape.js';
import type { LabPostgres } from '../lab/postgres.js';
import { splitStatements } from './split-statements.js';
import type { VersionedScripts } from './versioned-scripts.js';

/**
 * Runs the scripts of one store in order on an empty database of `postgres`, and lets PostgreSQL report the shape after
 * each version that is `wanted`. The database is removed again.
 */
export async function makeShapes(
  postgres: LabPostgres,
  steps: readonly VersionedScripts[],
  { wanted, scriptsOf }: { readonly wanted: ReadonlySet<string>; readonly scriptsOf: string },
): Promise<ShapeFile> {
  return withEmptyDatabase(postgres, async (client) => {
    const { version } = await readServer(client);
    const shapes: ShapeFile['shapes'] = {};
    let before: SchemaShape = {};
    for (const step of steps) {
      await runScripts(client, step);
      if (!wanted.has(step.version)) continue;
      const after = await readShape(client);
      shapes[step.version] = changeBetween(before, after);
      before = after;
    }
    return { store: steps[0]?.store ?? '', scriptsOf, reportedBy: `PostgreSQL ${version}`, shapes };
  });
}

/** One statement at a time, as the schema tool does: an index cannot be built concurrently among others. */
export async function runScripts(client: pg.Client, { scripts }: Pick<VersionedScripts, 'scripts'>): Promise<void> {
  for (const statement of scripts.flatMap(splitStatements)) await client.query(statement);
}

/** Runs `work` in a database of its own, which is removed afterwards; one that a killed run left is removed before. */
export async function withEmptyDatabase<T>(
  { host, port, user, password }: LabPostgres,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const database = 'temporal_shapes';
  const admin = new pg.Client({ host, port, user, password, database: 'postgres' });
  await admin.connect();
  try {
    await admin.query(`drop database if exists ${database}`);
    await admin.query(`create database ${database}`);
    const client = new pg.Client({ host, port, user, password, database });
    await client.connect();
    try {
      return await work(client);
    } finally {
      await client.end();
      await admin.query(`drop database ${database}`);
    }
  } finally {
    await admin.end();
  }
}
