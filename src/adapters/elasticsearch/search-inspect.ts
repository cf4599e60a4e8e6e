import { z } from 'zod';
import { PreconditionError } from '../../core/errors.js';
import type { ElasticsearchStore } from '../../core/input/input.js';
import type { DatabaseVersion } from '../../core/planning/databases.js';
import type { SchemaShape, TableShape } from '../../core/schema/schema-shape.js';
import { loadShapes } from '../catalogue-file.js';
import { placeText, type SearchClient } from './search-connection.js';

/** Folder of the templates below the server's `schema/`. */
export const SEARCH_SCRIPTS = 'elasticsearch/visibility';

/** An index has one table, whatever it is called: its documents. */
export const DOCUMENTS = 'documents';

/** Name under which Temporal's tool keeps the template of new indexes (tools/elasticsearch/tasks.go of the server). */
export const TEMPLATE = 'temporal_visibility_v1_template';

const Root = z.object({
  cluster_uuid: z.string(),
  version: z.object({ number: z.string(), distribution: z.string().optional() }),
});

export interface SearchServer extends DatabaseVersion {
  readonly clusterId: string;
}

/** Which product, in which version. Elasticsearch does not name itself. */
export async function readServer(client: SearchClient): Promise<SearchServer> {
  const { cluster_uuid, version } = await client.get('/', Root);
  const product = version.distribution === 'opensearch' ? 'OpenSearch' : 'Elasticsearch';
  return { product, version: version.number, clusterId: cluster_uuid };
}

/** A field of a mapping. One without a type is an object with fields of its own, as template v0 had for search attributes. */
export const SearchField = z.looseObject({ type: z.string().optional(), scaling_factor: z.number().optional() });
const Mapping = z.looseObject({ properties: z.record(z.string(), SearchField).default({}) });
const Mappings = z.record(z.string(), z.object({ mappings: Mapping.prefault({}) }));

/** Fields of the index that servers write into: its name may be an alias, of one index or of more. */
export async function readFields(client: SearchClient): Promise<TableShape['columns']> {
  const mappings = Object.values(await client.get(`/${encodeURIComponent(client.index)}/_mapping`, Mappings));
  if (mappings.some((one) => hasTypes(one.mappings))) throw withTypes(client);
  const [first] = mappings.map(({ mappings: { properties } }) => columnsOf(properties));
  if (first !== undefined && mappings.length === 1) return first;
  throw new PreconditionError(
    `"${client.index}" stands for ${mappings.length} indexes; name the one that the server writes into`,
    { index: client.index, reason: 'several-indexes' },
  );
}

/** Elasticsearch 6 puts the fields of an index below the name of a type, such as `_doc`, and makes no field without one. */
function hasTypes({ properties, ...others }: z.infer<typeof Mapping>): boolean {
  return Object.keys(properties).length === 0 && Object.values(others).some(isOfType);
}

function isOfType(one: unknown): boolean {
  return typeof one === 'object' && one !== null && 'properties' in one;
}

function withTypes({ index }: SearchClient): PreconditionError {
  return new PreconditionError(
    `the fields of index "${index}" stand below a type, as those of Elasticsearch 6 do, and this program upgrades visibility on Elasticsearch 7 and ` +
      'later, and on OpenSearch. Upgrade Elasticsearch first, to 7.10 or later: servers from 1.7 to 1.17 take both (they are told by "version" ' +
      'in their configuration)',
    { index, reason: 'mapping-types' },
  );
}

const Named = z.record(z.string(), z.unknown());

/** The index that the name stands for: itself, or that of an alias. @throws PreconditionError when it stands for several */
export async function resolveIndex(client: SearchClient): Promise<string> {
  const names = Object.keys(await client.get(`/${encodeURIComponent(client.index)}/_alias`, Named));
  const [only] = names;
  if (only !== undefined && names.length === 1) return only;
  throw new PreconditionError(
    `"${client.index}" stands for ${names.length} indexes (${names.join(', ')}); name the one that the server writes into`,
    { index: client.index, names, reason: 'several-indexes' },
  );
}

/** Fields of a mapping as the columns of a table: `{"type": "scaled_float(10000)"}`. */
export function columnsOf(properties: Readonly<Record<string, z.infer<typeof SearchField>>>): TableShape['columns'] {
  return Object.fromEntries(
    Object.entries(properties).map(([name, { type = 'object', scaling_factor }]) => [
      name,
      { type: scaling_factor === undefined ? type : `${type}(${scaling_factor})` },
    ]),
  );
}

/** As the catalogue keeps the shape of a store. */
export function shapeOf(columns: TableShape['columns']): SchemaShape {
  return { [DOCUMENTS]: { columns, primaryKey: [], indexes: {} } };
}

/** Fields of every template that is known, by its version, the newest first. */
async function loadTemplates(): Promise<[version: string, fields: TableShape['columns']][]> {
  const shapes = await loadShapes(SEARCH_SCRIPTS);
  return [...shapes].map(([version, shape]) => [version, shape[DOCUMENTS]?.columns ?? {}]);
}

/** The fields that a template has; whatever else is there are search attributes of the operator's own. */
export async function withoutCustom(columns: TableShape['columns']): Promise<TableShape['columns']> {
  const known = new Set((await loadTemplates()).flatMap(([, fields]) => Object.keys(fields)));
  return Object.fromEntries(Object.entries(columns).filter(([name]) => known.has(name)));
}

/** Fields of template `version` that an index has not, or has in another type. */
export async function missingFields(columns: TableShape['columns'], version: string): Promise<string[]> {
  const templates = new Map(await loadTemplates());
  return missingOf(columns, templates.get(version) ?? {});
}

function missingOf(columns: TableShape['columns'], wanted: TableShape['columns']): string[] {
  return Object.entries(wanted)
    .filter(([name, { type }]) => columns[name]?.type !== type)
    .map(([name]) => name);
}

/**
 * Version of the newest template all of whose fields the index has, such as `v13`: an index keeps no version.
 * @throws PreconditionError when it has those of none
 */
export async function versionOf(
  columns: TableShape['columns'],
  input: Pick<ElasticsearchStore, 'index' | 'url'>,
): Promise<string> {
  const templates = await loadTemplates();
  const present = templates.find(([, fields]) => missingOf(columns, fields).length === 0);
  if (present !== undefined) return present[0];
  const [oldest, fields] = templates.at(-1) ?? ['', {}];
  const missing = missingOf(columns, fields);
  throw new PreconditionError(
    `${placeText(input)} is no index of Temporal's visibility: of template ${oldest} it lacks ` +
      `${missing.slice(0, 5).join(', ')}${missing.length > 5 ? ' and more' : ''}, or has them in another type; correct "index"`,
    { index: input.index, reason: 'no-schema' },
  );
}

const Stats = z.object({
  _all: z.object({ primaries: z.object({ store: z.object({ size_in_bytes: z.number() }) }) }),
});

/** Size of the index on disk, without its replicas. */
export async function readBytes(client: SearchClient): Promise<number> {
  const { _all } = await client.get(`/${encodeURIComponent(client.index)}/_stats/store`, Stats);
  return _all.primaries.store.size_in_bytes;
}
