import { z } from 'zod';
import { compareTemplate, flat, type TemplateLook } from '../../core/schema/search-template.js';
import type { Seen } from '../../core/survey/seen.js';
import { loadShape } from '../catalogue-file.js';
import type { SearchClient } from './search-connection.js';
import { columnsOf, DOCUMENTS, SEARCH_SCRIPTS, SearchField, TEMPLATE } from './search-inspect.js';

/** A template of new indexes, in a file of the servers or as the search server tells it; what else it holds is kept. */
export const StoredTemplate = z.looseObject({
  order: z.number().optional(),
  index_patterns: z.array(z.string()).optional(),
  settings: z.record(z.string(), z.unknown()).optional(),
  mappings: z.looseObject({ properties: z.record(z.string(), z.unknown()).default({}) }),
});
export type StoredTemplate = z.infer<typeof StoredTemplate>;

const Answer = z.record(z.string(), StoredTemplate);
const Fields = z.record(z.string(), SearchField);

/** The template that Temporal's tool keeps for new indexes; undefined where there is none. */
export async function readTemplate(client: SearchClient): Promise<StoredTemplate | undefined> {
  const found = await client.find(`/_template/${TEMPLATE}`, Answer);
  return found?.[TEMPLATE];
}

/** How it differs from that of the index's own version. @throws Error when that is not known */
export async function lookAtTemplate(client: SearchClient, schemaVersion: Seen<string>): Promise<TemplateLook> {
  if ('unseen' in schemaVersion) throw new Error('the schema version of the index is not known');
  const wanted = (await loadShape(SEARCH_SCRIPTS, schemaVersion.seen))?.[DOCUMENTS]?.columns ?? {};
  const template = await readTemplate(client);
  if (template === undefined) return compareTemplate(TEMPLATE, undefined, wanted);
  const columns = columnsOf(Fields.parse(template.mappings.properties));
  return compareTemplate(TEMPLATE, { columns, settings: flat(template.settings ?? {}) }, wanted);
}
