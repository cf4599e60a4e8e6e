import type { ColumnShape, IndexShape, SchemaShape, TableShape } from '../../core/schema/schema-shape.js';
import type { CassandraClient } from './cassandra-connection.js';

/** Made by the schema tool itself, not by the scripts; what stands in them is looked at elsewhere. */
const TABLES_OF_THE_TOOL = ['schema_version', 'schema_update_history'];

interface ColumnRow {
  readonly table_name: string;
  readonly column_name: string;
  readonly kind: 'partition_key' | 'clustering' | 'regular' | 'static';
  readonly position: number;
  readonly clustering_order: 'none' | 'asc' | 'desc';
  readonly type: string;
}

interface IndexRow {
  readonly table_name: string;
  readonly index_name: string;
  readonly options: Readonly<Record<string, string>>;
}

interface TypeRow {
  readonly type_name: string;
  readonly field_names: readonly string[];
  readonly field_types: readonly string[];
}

/**
 * Tables, columns, keys and indexes of the keyspace, as Cassandra 3.11 to 5 tell them. Types of its own stand among the tables, as
 * `type NAME`.
 */
export async function readShape(client: CassandraClient): Promise<SchemaShape> {
  const from = (table: string, columns: string) =>
    `select ${columns} from system_schema.${table} where keyspace_name = ?`;
  const { keyspace } = client;
  const columns = await client.ask<ColumnRow>(
    from('columns', 'table_name, column_name, kind, position, clustering_order, type'),
    [keyspace],
  );
  const indexes = await client.ask<IndexRow>(from('indexes', 'table_name, index_name, options'), [keyspace]);
  const types = await client.ask<TypeRow>(from('types', 'type_name, field_names, field_types'), [keyspace]);
  const tables = [...new Set(columns.map(({ table_name }) => table_name))]
    .filter((table) => !TABLES_OF_THE_TOOL.includes(table))
    .sort();
  const ofTables = tables.map((table): [string, TableShape] => {
    const own = columns.filter(({ table_name }) => table_name === table);
    return [
      table,
      {
        columns: Object.fromEntries(own.map((row) => [row.column_name, columnShape(row)])),
        primaryKey: primaryKey(own),
        indexes: Object.fromEntries(
          indexes.filter(({ table_name }) => table_name === table).map((row) => [row.index_name, indexShape(row)]),
        ),
      },
    ];
  });
  const ofTypes = types.map(({ type_name, field_names, field_types }): [string, TableShape] => [
    `type ${type_name}`,
    {
      columns: Object.fromEntries(field_names.map((name, index) => [name, { type: field_types[index] ?? '' }])),
      primaryKey: [],
      indexes: {},
    },
  ]);
  return Object.fromEntries([...ofTables, ...ofTypes]);
}

function columnShape({ type, kind }: ColumnRow): ColumnShape {
  return { type: kind === 'static' ? `${type} static` : type };
}

/** The columns of the partition in parentheses, then those that order it: `(shard_id)`, `type`, `task_id desc`. */
function primaryKey(columns: readonly ColumnRow[]): string[] {
  const of = (kind: ColumnRow['kind']) =>
    columns.filter((row) => row.kind === kind).toSorted((a, b) => a.position - b.position);
  const partition = of('partition_key').map(({ column_name }) => column_name);
  const order = of('clustering').map(({ column_name, clustering_order }) =>
    clustering_order === 'desc' ? `${column_name} desc` : column_name,
  );
  return [`(${partition.join(', ')})`, ...order];
}

function indexShape({ options }: IndexRow): IndexShape {
  return { on: `index (${options['target'] ?? ''})` };
}
