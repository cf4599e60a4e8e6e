/** The ways in which a shape may differ; a finding of it is `schema-` and the way. */
export const SHAPE_DIFFERENCES = [
  'table-missing',
  'table-extra',
  'column-missing',
  'column-type',
  'column-nullability',
  'column-default',
  'column-generated',
  'column-extra',
  'primary-key',
  'index-missing',
  'index-invalid',
  'index-not-unique',
  'index-differs',
  'index-renamed',
  'index-extra',
] as const;
export type ShapeDifferenceKind = (typeof SHAPE_DIFFERENCES)[number];

/** One place where a database is not as the scripts of its schema version make it. */
export interface ShapeDifference {
  readonly kind: ShapeDifferenceKind;
  readonly table: string;
  /** Of the column or index; undefined for a table or a primary key. */
  readonly name?: string | undefined;
  readonly expected?: string | undefined;
  readonly found?: string | undefined;
  /** The server works with it all the same: something more than expected, or a good index of another name. */
  readonly harmless: boolean;
  /** SQL statements that mend it, in order; empty where that takes a decision, as it may lose or refuse data. */
  readonly mend: readonly string[];
}

/** A difference that is not harmless and that no statement mends, but for what `rest` says. */
export function difference(
  kind: ShapeDifferenceKind,
  table: string,
  rest: Partial<Omit<ShapeDifference, 'kind' | 'table'>> = {},
): ShapeDifference {
  return { kind, table, harmless: false, mend: [], ...rest };
}

/** What is different, in a sentence without its end, such as `table "tasks": index by_x is missing`. */
export function describeDifference({ kind, table, name, expected, found }: ShapeDifference): string {
  const column = `column ${name}`;
  const index = `index ${name}`;
  const instead = `is ${found}, expected ${expected}`;
  const words: Readonly<Record<ShapeDifferenceKind, string>> = {
    'table-missing': 'is missing',
    'table-extra': 'is not of this schema version',
    'column-missing': `${column} (${expected}) is missing`,
    'column-type': `type of ${column} ${instead}`,
    'column-nullability': `${column} ${instead}`,
    'column-default': `default of ${column} ${instead}`,
    'column-generated': `expression of ${column} ${instead}`,
    'column-extra': `${column} (${found}) is not of this schema version`,
    'primary-key': `primary key ${instead}`,
    'index-missing': `${index} on ${expected} is missing`,
    'index-invalid': `${index} was not built to the end, so it is never used`,
    'index-not-unique': `${index} is not unique`,
    'index-differs': `${index} is on ${found}, expected ${expected}`,
    'index-renamed': `${index} has another name, ${found}`,
    'index-extra': `${index} on ${found} is not of this schema version`,
  };
  return `table "${table}": ${words[kind]}`;
}
