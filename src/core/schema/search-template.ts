import type { TableShape } from './schema-shape.js';

/** Settings with dots in their names, as `flat_settings` tells them: `{"index.number_of_replicas": "2"}`. */
export type FlatSettings = Readonly<Record<string, unknown>>;

/** Settings of every template of the servers from v1 to v14 (schema/elasticsearch/visibility/versioned of 1.31.2). */
const OF_SERVERS: FlatSettings = {
  'index.number_of_shards': '1',
  'index.number_of_replicas': '0',
  'index.auto_expand_replicas': '0-2',
  'index.search.idle.after': '365d',
  'index.sort.field': ['CloseTime', 'StartTime', 'RunId'],
  'index.sort.order': ['desc', 'desc', 'desc'],
  'index.sort.missing': ['_first', '_first', '_first'],
};

/** The template of new indexes, as it stands beside the index that there is. */
export interface TemplateLook {
  readonly name: string;
  /** False where the search server has none of that name; nothing differs then. */
  readonly present: boolean;
  /** Fields that it has not, with the type that they should have: `BuildIds (keyword)`. */
  readonly lacks: readonly string[];
  /** Fields that it has in another type: `BuildIds is text, expected keyword`. */
  readonly otherwise: readonly string[];
  /** Settings that are not those of the servers: `index.number_of_replicas is "2", and "0" in that of the servers`. */
  readonly ownSettings: readonly string[];
}

/** What a template has: its fields as the columns of a table. */
export interface TemplateContent {
  readonly columns: TableShape['columns'];
  readonly settings: FlatSettings;
}

/** How a template differs from the one whose fields are `wanted`. */
export function compareTemplate(
  name: string,
  live: TemplateContent | undefined,
  wanted: TableShape['columns'],
): TemplateLook {
  if (live === undefined) return { name, present: false, lacks: [], otherwise: [], ownSettings: [] };
  const fields = Object.entries(wanted);
  return {
    name,
    present: true,
    lacks: fields
      .filter(([field]) => live.columns[field] === undefined)
      .map(([field, { type }]) => `${field} (${type})`),
    otherwise: fields.flatMap(([field, { type }]) => {
      const found = live.columns[field]?.type;
      return found === undefined || found === type ? [] : [`${field} is ${found}, expected ${type}`];
    }),
    ownSettings: [...new Set([...Object.keys(live.settings), ...Object.keys(OF_SERVERS)])]
      .filter((key) => textOf(live.settings[key]) !== textOf(OF_SERVERS[key]))
      .map((key) => `${key} is ${textOf(live.settings[key])}, and ${textOf(OF_SERVERS[key])} in that of the servers`),
  };
}

/** A template as it is sent and told; what else it may hold is left as it is. */
export interface SearchTemplate {
  readonly order?: number | undefined;
  readonly index_patterns?: readonly string[] | undefined;
  readonly settings?: Readonly<Record<string, unknown>> | undefined;
  readonly mappings: { readonly properties: Readonly<Record<string, unknown>> };
}

/**
 * The template to send: the fields of `wanted`, and of `live` whatever its owner set: order, patterns of names, fields of his own, and
 * all settings. Those of the servers have been the same since v1; one that he took out, as `auto_expand_replicas`, must not come back
 * and overrule his number of copies.
 */
export function keepOwn<T extends SearchTemplate>(wanted: T, live: SearchTemplate | undefined): T {
  if (live === undefined) return wanted;
  return {
    ...wanted,
    order: live.order ?? wanted.order,
    index_patterns: live.index_patterns ?? wanted.index_patterns,
    settings: live.settings ?? wanted.settings,
    mappings: { ...wanted.mappings, properties: { ...live.mappings.properties, ...wanted.mappings.properties } },
  };
}

/** Settings by their whole names: `{"index": {"sort.field": …}}` is `{"index.sort.field": …}`. */
export function flat(settings: Readonly<Record<string, unknown>>, before = ''): FlatSettings {
  return Object.fromEntries(
    Object.entries(settings).flatMap(([key, value]) => {
      const name = `${before}${key}`;
      return isObject(value) ? Object.entries(flat(value, `${name}.`)) : [[name, value] as const];
    }),
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Search servers tell numbers as text. */
function textOf(value: unknown): string {
  if (value === undefined) return 'not set';
  return JSON.stringify(typeof value === 'number' || typeof value === 'boolean' ? String(value) : value);
}
