import { POSTGRES_DIALECT, type SchemaDialect } from './schema-dialect.js';
import type { IndexShape, SchemaShape, TableShape } from './schema-shape.js';
import { changeBetween, type ShapeChange } from './shape-file.js';

/** What scripts do, and what they use, to bring tables from one shape to another. */
export interface SchemaNeeds {
  /** Tables that are altered, indexed anew or dropped. */
  readonly changes: readonly string[];
  readonly creates: readonly string[];
  /** Tables whose rows are written anew. */
  readonly rewrites: readonly string[];
  readonly operatorClasses: readonly OperatorClass[];
  /** Functions that stored columns are computed by. */
  readonly functions: readonly string[];
}

/** How an index method compares a type; PostgreSQL has one of its own for most, but not for all. */
export interface OperatorClass {
  readonly method: string;
  readonly type: string;
}

/** What lies between two shapes of a schema. */
export function needsBetween(
  before: SchemaShape,
  after: SchemaShape,
  dialect: SchemaDialect = POSTGRES_DIALECT,
): SchemaNeeds {
  const change = changeBetween(before, after);
  const tables = Object.keys(change);
  const isNew = (table: string) => before[table] === undefined;
  return {
    changes: tables.filter((table) => !isNew(table)),
    creates: tables.filter(isNew),
    rewrites: tables.filter((table) => !isNew(table) && isRewritten(before[table], change[table], dialect)),
    operatorClasses: unique(
      tables.flatMap((table) => newIndexes(change[table]).flatMap((index) => operatorClasses(index, after[table]))),
      ({ method, type }) => `${method} ${type}`,
    ),
    functions: unique(
      tables.flatMap((table) => newExpressions(change[table]).flatMap(functionsIn)),
      (name) => name,
    ),
  };
}

function isRewritten(
  before: TableShape | undefined,
  change: ShapeChange[string] | undefined,
  dialect: SchemaDialect,
): boolean {
  return Object.entries(change?.columns ?? {}).some(
    ([name, column]) => column !== null && dialect.rewritesRows(before?.columns[name], column),
  );
}

function newIndexes(change: ShapeChange[string] | undefined): IndexShape[] {
  return Object.values(change?.indexes ?? {}).filter((index) => index !== null);
}

function newExpressions(change: ShapeChange[string] | undefined): string[] {
  return Object.values(change?.columns ?? {}).flatMap((column) => column?.generated ?? []);
}

/** Of an index such as `gin (namespace_id, keywords jsonb_path_ops)`: those that it does not name itself. */
function operatorClasses({ on }: IndexShape, table: TableShape | undefined): OperatorClass[] {
  const [, method, keys] = /^(\w+) \((.*)\)/.exec(on) ?? [];
  // Every type that the scripts use can be sorted, so only other methods than btree may lack something.
  if (method === undefined || keys === undefined || method === 'btree') return [];
  return keys.split(', ').flatMap((key) => {
    const type = table?.columns[key]?.type; // a key with a class of its own has another word behind the name
    return type === undefined ? [] : [{ method, type: type.replace(/\(.*\)$/, '') }];
  });
}

/** Names before an opening parenthesis, but for those of types such as `numeric(20,5)`. */
function functionsIn(expression: string): string[] {
  const withoutCasts = expression.replace(/::[a-z][a-z0-9_ ]*(\([\d,]+\))?/g, '');
  return [...withoutCasts.replace(/'[^']*'/g, "''").matchAll(/\b([a-z_]\w*)\(/g)].flatMap(([, name]) => name ?? []);
}

function unique<T>(all: readonly T[], key: (each: T) => string): T[] {
  return [...new Map(all.map((each) => [key(each), each])).values()];
}
