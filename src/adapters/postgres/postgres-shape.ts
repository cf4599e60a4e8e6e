import type pg from 'pg';
import type { ColumnShape, IndexShape, SchemaShape } from '../../core/schema/schema-shape.js';

/** Made by the schema tool itself, not by the scripts; what stands in them is looked at elsewhere. */
const TABLES_OF_THE_TOOL = ['schema_version', 'schema_update_history'];

/**
 * Tables, columns, keys and indexes of the PostgreSQL schema that holds the Temporal tables, as PostgreSQL 12 to 18 print
 * them. Reads catalogs only, in a transaction of its own: `client` must not be inside one.
 */
export async function readShape(client: pg.Client): Promise<SchemaShape> {
  await client.query('begin isolation level repeatable read read only');
  try {
    return await readShapeWithin(client);
  } finally {
    await client.query('rollback');
  }
}

/** As {@link readShape}, inside a transaction, whose settings of output and search path it changes. */
export async function readShapeWithin(client: pg.Client): Promise<SchemaShape> {
  const namespace = await settleOutput(client);
  const tables = await readTables(client, namespace);
  const columns = await readColumns(client, namespace);
  const indexes = await readIndexes(client, namespace);
  return Object.fromEntries(
    tables.map((table) => [
      table,
      {
        columns: Object.fromEntries(columns.filter((row) => row.table === table).map((row) => [row.name, row.shape])),
        primaryKey: indexes.find((row) => row.table === table && row.primaryKey !== null)?.primaryKey ?? [],
        indexes: Object.fromEntries(
          indexes.filter((row) => row.table === table && row.primaryKey === null).map((row) => [row.name, row.shape]),
        ),
      },
    ]),
  );
}

/**
 * Makes PostgreSQL print expressions in one way whatever the settings of database, user and connection are: constants by
 * date style, names by search path. Returns the oid of the schema: that of the table schema_version as the server finds it.
 */
async function settleOutput(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ oid: number; path: string }>(
    `select oid, quote_ident(nspname) as path from pg_namespace where oid = coalesce(
       (select relnamespace from pg_class where oid = to_regclass('schema_version')), current_schema()::regnamespace)`,
  );
  const row = rows[0];
  if (row === undefined) throw new Error('the search path of this PostgreSQL user names no schema that exists');
  await client.query(
    `select set_config('search_path', $1, true), set_config('datestyle', 'ISO, MDY', true),
            set_config('quote_all_identifiers', 'off', true), set_config('extra_float_digits', '1', true)`,
    [row.path],
  );
  return row.oid;
}

/** Ordinary and partitioned tables; the parts of a partitioned table belong to it. */
async function readTables(client: pg.Client, namespace: number): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `select relname as name from pg_class
      where relnamespace = $1 and relkind in ('r', 'p') and not relispartition and relname <> all ($2)
      order by relname collate "C"`,
    [namespace, TABLES_OF_THE_TOOL],
  );
  return rows.map(({ name }) => name);
}

interface ColumnRow {
  readonly table: string;
  readonly name: string;
  readonly type: string;
  readonly not_null: boolean;
  readonly expression: string | null;
  readonly is_generated: boolean;
  readonly is_identity: boolean;
}

async function readColumns(client: pg.Client, namespace: number) {
  const { rows } = await client.query<ColumnRow>(
    `select c.relname as table, a.attname as name, format_type(a.atttypid, a.atttypmod) as type,
            a.attnotnull as not_null, pg_get_expr(d.adbin, d.adrelid) as expression,
            a.attgenerated <> '' as is_generated, a.attidentity <> '' as is_identity
       from pg_attribute a
       join pg_class c on c.oid = a.attrelid
       left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
      where c.relnamespace = $1 and c.relkind in ('r', 'p') and a.attnum > 0 and not a.attisdropped
      order by a.attnum`,
    [namespace],
  );
  return rows.map((row) => ({ table: row.table, name: row.name, shape: columnShape(row) }));
}

function columnShape({ type, not_null, expression, is_generated, is_identity }: ColumnRow): ColumnShape {
  const isSequence = is_identity || (expression?.startsWith('nextval(') ?? false);
  const defaultOf = isSequence ? 'sequence' : is_generated ? undefined : (expression ?? undefined);
  return {
    type,
    ...(not_null ? { notNull: true } : {}),
    ...(defaultOf === undefined ? {} : { default: defaultOf }),
    ...(is_generated && expression !== null ? { generated: expression } : {}),
  };
}

interface IndexRow {
  readonly table: string;
  readonly name: string;
  readonly statement: string;
  readonly is_unique: boolean;
  readonly is_valid: boolean;
  readonly primary_key: readonly string[] | null;
}

async function readIndexes(client: pg.Client, namespace: number) {
  const { rows } = await client.query<IndexRow>(
    `select t.relname as table, c.relname as name, pg_get_indexdef(i.indexrelid) as statement,
            i.indisunique as is_unique, i.indisvalid and i.indisready and i.indislive as is_valid,
            case when i.indisprimary then array(
              select a.attname::text from unnest(i.indkey::int2[]) with ordinality as k(attnum, position)
                join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum
               where k.position <= i.indnkeyatts order by k.position) end as primary_key
       from pg_index i
       join pg_class c on c.oid = i.indexrelid
       join pg_class t on t.oid = i.indrelid
      where t.relnamespace = $1 and t.relkind in ('r', 'p')
      order by c.relname collate "C"`,
    [namespace],
  );
  return rows.map((row) => ({ ...row, primaryKey: row.primary_key, shape: indexShape(row) }));
}

function indexShape({ statement, is_unique, is_valid }: IndexRow): IndexShape {
  return {
    on: definitionOf(statement),
    ...(is_unique ? { unique: true } : {}),
    ...(is_valid ? {} : { invalid: true }),
  };
}

/** What follows USING, without storage parameters such as a fill factor: those are a matter of taste. */
function definitionOf(statement: string): string {
  return statement.slice(statement.indexOf(' USING ') + ' USING '.length).replace(/ WITH \([^)]*\)/, '');
}
