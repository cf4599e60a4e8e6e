/** A column as PostgreSQL prints it. */
export interface ColumnShape {
  readonly type: string;
  readonly notNull?: true | undefined;
  /** Expression of the default; `sequence` for a serial or identity column, whose sequence may have any name. */
  readonly default?: string | undefined;
  /** Expression of a generated column. */
  readonly generated?: string | undefined;
}

/** An index that is not the primary key. */
export interface IndexShape {
  /** Method, keys and condition, such as `btree (namespace_id, run_id)`. */
  readonly on: string;
  readonly unique?: true | undefined;
  /** Not built to the end, so never used; only ever found, never expected. */
  readonly invalid?: true | undefined;
}

export interface TableShape {
  readonly columns: Readonly<Record<string, ColumnShape>>;
  /** Columns in the order of the key; empty when there is none. */
  readonly primaryKey: readonly string[];
  readonly indexes: Readonly<Record<string, IndexShape>>;
}

/** Tables by name. Order says nothing: the same schema got there by different scripts has its columns in another order. */
export type SchemaShape = Readonly<Record<string, TableShape>>;
