import { PreconditionError } from '../../core/errors.js';
import type { SqlStore } from '../../core/input/input.js';
import type { StoreRole } from '../store.js';

/** Which database is spoken of. */
export type Place = Pick<SqlStore, 'database' | 'host' | 'port' | 'user'>;

/** A row of table `schema_version`. */
export interface VersionRow {
  readonly db_name: string;
  readonly curr_version: string;
}

/** Which kinds of Temporal tables a database holds: `shards` and `executions`, `executions_visibility`. */
export type FoundKinds = Readonly<Record<StoreRole, boolean>>;

/**
 * Schema version of a database, chosen as the server does at its start: by its own name. `rows` are those of partition 0;
 * undefined where there is no table. @throws PreconditionError when there is none for it
 */
export function versionOf(place: Place, rows: readonly VersionRow[] | undefined): string {
  const { host, port, database, user } = place;
  const where = `database "${database}" at ${host}:${port}`;
  const facts = { host, port, database, reason: 'no-schema-version' };
  if (rows === undefined) {
    throw new PreconditionError(
      `${where} has no table schema_version that user "${user}" can see, so it holds no Temporal schema; correct ` +
        '"database" or "user" (an upgrade never sets up a schema)',
      facts,
    );
  }
  const row = rows.find(({ db_name }) => db_name === database);
  if (row !== undefined) return row.curr_version;
  const others = rows.map(({ db_name }) => `"${db_name}"`).join(', ') || 'none';
  throw new PreconditionError(
    `table schema_version of ${where} has no row for that name (names there: ${others}); the server would not start on it ` +
      'either. A database that was restored under another name needs its row renamed',
    facts,
  );
}

/**
 * Checks by its tables that a database is the one meant: scripts of one kind would harm the other.
 * @throws PreconditionError when default and visibility are mixed up or share one database
 */
export function checkFoundKinds({ host, port, database }: Place, kind: StoreRole, found: FoundKinds): void {
  const other: StoreRole = kind === 'default' ? 'visibility' : 'default';
  if (found[kind] && !found[other]) return;
  const where = `database "${database}" at ${host}:${port}, given as the ${kind} store,`;
  const facts = { host, port, database, kind, found };
  if (found[kind]) {
    throw new PreconditionError(
      `${where} holds the tables of both stores; one schema_version row cannot keep two versions, so such a database ` +
        'cannot be upgraded. Separate the two stores first',
      { ...facts, reason: 'shared-database' },
    );
  }
  if (found[other]) {
    throw new PreconditionError(`${where} has the tables of the ${other} store; are the two databases mixed up?`, {
      ...facts,
      reason: 'wrong-kind',
    });
  }
  throw new PreconditionError(
    `${where} has none of the tables of a Temporal store (shards, executions, executions_visibility); correct "database"`,
    { ...facts, reason: 'no-schema' },
  );
}
