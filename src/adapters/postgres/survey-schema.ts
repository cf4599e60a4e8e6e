import type pg from 'pg';
import { POSTGRES_DIALECT } from '../../core/schema/schema-dialect.js';
import type { OperatorClass, SchemaNeeds } from '../../core/schema/schema-needs.js';
import type { SchemaShape } from '../../core/schema/schema-shape.js';
import type { MissingNeed, ScriptsAhead, TableSize } from '../../core/survey/store-survey.js';
import { findLeftOvers } from './half-done.js';
import { needsOf, type SchemaPlace } from '../store-parts/survey-parts.js';

/** Extension that gives an index method the operator classes that it lacks (PostgreSQL documentation, Additional Modules). */
const EXTENSIONS: Readonly<Record<string, string>> = { gin: 'btree_gin', gist: 'btree_gist' };

/** Names of indexes that were not built to the end. */
export function invalidIndexes(shape: SchemaShape): string[] {
  return Object.values(shape).flatMap(({ indexes }) =>
    Object.entries(indexes)
      .filter(([, { invalid }]) => invalid === true)
      .map(([name]) => name),
  );
}

/** What the scripts between two schema versions will do here. */
export async function readScriptsAhead(
  client: pg.Client,
  place: SchemaPlace,
  present: SchemaShape,
): Promise<ScriptsAhead> {
  const needs = await needsOf(place, present, POSTGRES_DIALECT);
  return {
    from: place.from,
    to: place.to,
    changes: needs.changes,
    creates: needs.creates,
    rewrites: await readSizes(client, needs.rewrites),
    missing: await readMissing(client, needs),
    leftOvers: await findLeftOvers(place, present),
  };
}

async function readSizes(client: pg.Client, tables: readonly string[]): Promise<TableSize[]> {
  if (tables.length === 0) return [];
  const { rows } = await client.query<{ table: string; heap: string; indexes: string; rows: number | null }>(
    `select c.relname as table, pg_table_size(c.oid) as heap, pg_indexes_size(c.oid) as indexes,
            case when c.reltuples >= 0 then c.reltuples::float8
                 else nullif(pg_stat_get_live_tuples(c.oid), 0)::float8 end as rows
       from pg_class c where c.oid in (select to_regclass(quote_ident(name)) from unnest($1::text[]) as name)`,
    [tables],
  );
  return rows.map((row) => ({
    table: row.table,
    tableBytes: Number(row.heap),
    indexBytes: Number(row.indexes),
    ...(row.rows === null ? {} : { estimatedRows: Math.round(row.rows) }),
  }));
}

async function readMissing(client: pg.Client, { operatorClasses, functions }: SchemaNeeds): Promise<MissingNeed[]> {
  return [
    ...(operatorClasses.length === 0 ? [] : await missingClasses(client, operatorClasses)),
    ...(functions.length === 0 ? [] : await missingFunctions(client, functions)),
  ];
}

async function missingClasses(client: pg.Client, classes: readonly OperatorClass[]): Promise<MissingNeed[]> {
  const { rows } = await client.query<{ method: string; type: string }>(
    `select need.method, need.type from unnest($1::text[], $2::text[]) as need (method, type)
      where not exists (
        select from pg_opclass o join pg_am a on a.oid = o.opcmethod
         where a.amname = need.method and o.opcdefault and o.opcintype = to_regtype(need.type))`,
    [classes.map(({ method }) => method), classes.map(({ type }) => type)],
  );
  if (rows.length === 0) return [];
  const { rows: available } = await client.query<{ name: string }>('select name from pg_available_extensions');
  return rows.map(({ method, type }) => {
    const name = EXTENSIONS[method];
    const what = `operator class of ${method} for type ${type}`;
    if (name === undefined) return { what };
    return { what, extension: { name, available: available.some((one) => one.name === name) } };
  });
}

async function missingFunctions(client: pg.Client, functions: readonly string[]): Promise<MissingNeed[]> {
  const { rows } = await client.query<{ name: string }>(
    `select name from unnest($1::text[]) as name
      where not exists (select from pg_proc p where p.proname = name and pg_function_is_visible(p.oid))`,
    [functions],
  );
  return rows.map(({ name }) => ({ what: `function ${name}` }));
}
