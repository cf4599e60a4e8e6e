import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { messageOf, PreconditionError } from '../../core/errors.js';
import type { ElasticsearchStore } from '../../core/input/input.js';
import { keepOwn } from '../../core/schema/search-template.js';
import { compareSchemaVersions } from '../../core/version.js';
import type { Work } from '../store.js';
import type { ToolResolver } from '../tools/tools.js';
import { isSchemaReached } from '../store-parts/schema-reached.js';
import { placeText, withSearch, type SearchClient } from './search-connection.js';
import { missingFields, readFields, SEARCH_SCRIPTS, TEMPLATE, versionOf } from './search-inspect.js';
import { readTemplate, StoredTemplate } from './search-template.js';

/** The first template whose times have nanoseconds: an index from before has to be copied into a new one. */
const FIRST_IN_PLACE = 'v1';

export interface SearchUpdate {
  readonly to: string;
  readonly serverVersion: string;
  readonly tools: ToolResolver;
}

/**
 * Finds or brings the template of a server version. Its schema tool, which there is since 1.30, is not used: it sends the same two
 * requests, but cannot say of which version it is, and knows no API key (tools/elasticsearch of the server). The shell scripts of
 * the versions before wait for ever on a single node, which is never green.
 * @throws ToolUnavailableError
 */
export async function bringTemplate({ to, serverVersion, tools }: SearchUpdate, work: Work): Promise<string> {
  return join(await bringTemplates({ serverVersion, tools }, work), to, 'index_template_v7.json');
}

/** The folder of all templates up to that of a server version. */
export function bringTemplates(
  { serverVersion, tools }: Pick<SearchUpdate, 'serverVersion' | 'tools'>,
  work: Work,
): Promise<string> {
  return tools.schemaScripts(SEARCH_SCRIPTS, serverVersion, work);
}

/**
 * Adds the fields of template `to` to the index, and keeps that template for new ones. Both are one request each, and may be
 * sent again: the index is the last, and tells the version. Fields and settings of the operator's own stay.
 * @throws PreconditionError when the index is newer, is from before template v1, or a field is there in another type
 */
export async function updateSearchSchema(
  input: ElasticsearchStore,
  { to, serverVersion, tools }: SearchUpdate,
  work: Work,
): Promise<string[]> {
  const present = await withSearch(input, (client) => readSearchVersion(client, input));
  if (isSchemaReached(placeText(input), { present, to })) return [];
  if (compareSchemaVersions(present, FIRST_IN_PLACE) < 0) {
    throw new PreconditionError(
      `${placeText(input)} has template ${present}, whose times cannot be changed in place; copy it by reindex.sh of template v1 of the ` +
        'server’s source, let the server use the new index, then try again',
      { reason: 'reindex-first', index: input.index, present, to },
    );
  }
  const template = await bringTemplate({ to, serverVersion, tools }, work);
  work.onProgress?.(`adding the fields of template ${to}`);
  await withSearch(input, (client) => putTemplate(client, template));
  const reached = await withSearch(input, (client) => readSearchVersion(client, input));
  if (compareSchemaVersions(reached, to) >= 0) return [];
  const missing = await missingFields(await withSearch(input, readFields), to);
  throw new Error(`template ${to} was sent to ${placeText(input)}, which has not ${missing.join(', ')} of it`);
}

/** The version that the fields of the index show. */
export async function readSearchVersion(client: SearchClient, input: ElasticsearchStore): Promise<string> {
  return versionOf(await readFields(client), input);
}

const Done = z.object({ acknowledged: z.literal(true) });

async function putTemplate(client: SearchClient, file: string): Promise<void> {
  const template = await readTemplateFile(file);
  const sent = keepOwn(template, await readTemplate(client));
  await client.send('PUT', { path: `/_template/${TEMPLATE}`, body: sent }, Done);
  await client.send(
    'PUT',
    { path: `/${encodeURIComponent(client.index)}/_mapping`, body: { properties: template.mappings.properties } },
    Done,
  );
}

async function readTemplateFile(file: string): Promise<StoredTemplate> {
  try {
    return StoredTemplate.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch (cause) {
    throw new PreconditionError(`template ${file} cannot be used: ${messageOf(cause)}`, { file }, { cause });
  }
}
