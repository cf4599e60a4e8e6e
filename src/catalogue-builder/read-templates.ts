import { z } from 'zod';
import { SearchField } from '../adapters/elasticsearch/search-inspect.js';
import { messageOf, PreconditionError } from '../core/errors.js';
import { compareSchemaVersions } from '../core/version.js';
import { namesBelow, type ReleaseFiles } from './release-files.js';

/** Fields of an index, as a template gives them. */
const Template = z.looseObject({
  mappings: z.looseObject({
    properties: z.record(z.string(), SearchField),
  }),
});

export interface TemplateFields {
  /** Such as `v13`. */
  readonly version: string;
  readonly fields: z.infer<typeof Template>['mappings']['properties'];
}

/** The fields that `upgrade.sh` of a version adds to an index of the version before, as it says them. */
const ADDED = /^new_mapping='\s*(\{.*?\})\s*'$/ms;
const Mapping = z.object({ properties: z.record(z.string(), SearchField) });

/**
 * The templates of a store's folder below `schema/`, the lowest version first. A field counts from the version whose upgrade adds it:
 * the template of v9 was given the field of v10 afterwards, in 1.30, and an index made by 1.29 has it not.
 * @throws PreconditionError naming the file
 */
export function readTemplates(files: ReleaseFiles, folder: string): TemplateFields[] {
  const versions = namesBelow(files, `schema/${folder}/versioned`)
    .filter((name) => /^v\d+$/.test(name))
    .toSorted(compareSchemaVersions);
  const added = new Map(versions.map((version) => [version, readAdded(files, folder, version)]));
  return versions.map((version, index) => {
    const later = new Set(versions.slice(index + 1).flatMap((each) => added.get(each) ?? []));
    const fields = Object.entries(readTemplate(files, folder, version)).filter(([name]) => !later.has(name));
    return { version, fields: Object.fromEntries(fields) };
  });
}

function readTemplate(files: ReleaseFiles, folder: string, version: string): TemplateFields['fields'] {
  const path = `schema/${folder}/versioned/${version}/index_template_v7.json`;
  return reading(path, () => Template.parse(JSON.parse(files.get(path) ?? '')).mappings.properties);
}

/** Names of the fields; none where a version has no such script, as the first two. */
function readAdded(files: ReleaseFiles, folder: string, version: string): string[] {
  const path = `schema/${folder}/versioned/${version}/upgrade.sh`;
  const script = files.get(path);
  if (script === undefined) return [];
  return reading(path, () => Object.keys(Mapping.parse(JSON.parse(ADDED.exec(script)?.[1] ?? '')).properties));
}

function reading<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw new PreconditionError(`${path} cannot be read: ${messageOf(cause)}`, { path }, { cause });
  }
}
