import { type Catalogue, type MinorFacts, isKnown, minorFacts } from '../catalogue/catalogue.js';
import { PreconditionError } from '../errors.js';
import type { SchemaScriptStep, StoreKind, StorePart } from '../plan.js';
import type { Rules } from '../catalogue/rules.js';
import { compareSchemaVersions, compareVersions } from '../version.js';

/** How the catalogue names the two kinds of database of a component. Elasticsearch only ever holds visibility. */
const TABLE_NAMES = { default: ['temporal'], visibility: ['visibility', 'visibilityTemplate'] } as const;

/** Elasticsearch's index template had no number before its first one. */
const UNNUMBERED_TEMPLATE = 'v0';

/** What the catalogue says of a kind of store. @throws PreconditionError when it knows no such kind */
export function storeRule(catalogue: Catalogue, kind: StoreKind): Rules['stores'][number] {
  const rule = catalogue.rules.stores.find((each) => each.kind === kind);
  if (rule === undefined) throw new PreconditionError(`the catalogue knows no store of kind ${kind}`, { kind });
  return rule;
}

/**
 * Folder of the schema scripts below the server's `schema/`, such as `postgresql/v12/temporal`; also `--schema-name`.
 * @throws PreconditionError when that kind cannot be that part, as Elasticsearch cannot be the default store
 */
export function schemaFolder(catalogue: Catalogue, kind: StoreKind, part: StorePart): string {
  const { folders, product } = storeRule(catalogue, kind);
  const folder = folders[part === 'default' ? 'default' : 'visibility'];
  if (folder !== undefined) return folder;
  throw new PreconditionError(`${product} cannot be the ${part} store of a Temporal cluster`, { kind, part });
}

/** Schema versions that a server version expects of the default and the visibility store of one kind. */
export function schemaVersions(
  catalogue: Catalogue,
  version: string,
  kind: StoreKind,
): { readonly default: string; readonly visibility: string } {
  return {
    default: schemaVersion(catalogue, version, kind, 'default'),
    visibility: schemaVersion(catalogue, version, kind, 'visibility'),
  };
}

/**
 * Schema version that a server version expects of a store, by its exact patch.
 * @throws PreconditionError when the catalogue does not know the version, or the version does not have the store
 */
export function schemaVersion(catalogue: Catalogue, version: string, kind: StoreKind, part: StorePart): string {
  const found = findSchemaVersion(catalogue, version, kind, part);
  if (found === undefined) throw noSuchStore(catalogue, version, kind, part);
  return found;
}

/** As {@link schemaVersion}; undefined when the version does not have the store. @throws PreconditionError: unknown version */
export function findSchemaVersion(
  catalogue: Catalogue,
  version: string,
  kind: StoreKind,
  part: StorePart,
): string | undefined {
  const facts = minorFacts(catalogue, version);
  if (facts === undefined || !isKnown(catalogue, version)) {
    throw new PreconditionError(`the catalogue knows no server version ${version}`, { version });
  }
  schemaFolder(catalogue, kind, part);
  const newest = newestOf(catalogue, facts, kind, part);
  if (newest !== undefined) return atPatch(facts, version, newest.component, newest.version);
  return kind === 'elasticsearch' ? UNNUMBERED_TEMPLATE : undefined;
}

function newestOf(catalogue: Catalogue, facts: MinorFacts, kind: StoreKind, part: StorePart) {
  const { component } = storeRule(catalogue, kind);
  for (const name of TABLE_NAMES[part === 'default' ? 'default' : 'visibility']) {
    const version = facts.schema[component]?.[name];
    if (typeof version === 'string') return { component: `${component}.${name}`, version };
  }
  return undefined;
}

/** The catalogue holds the schema of a minor's newest patch; changes that came after `version` are taken back. */
function atPatch(facts: MinorFacts, version: string, component: string, newest: string): string {
  const later = facts.schemaChangedInPatch
    .filter((change) => change.component === component && compareVersions(change.patch, version) > 0)
    .toSorted((a, b) => compareVersions(a.patch, b.patch));
  return later[0]?.from ?? newest;
}

/** The scripts of `folder` above one schema version and up to another, in order. */
export function scriptsBetween(
  catalogue: Catalogue,
  folder: string,
  { from, to }: { readonly from: string; readonly to: string },
): SchemaScriptStep[] {
  return catalogue.minors
    .flatMap(({ schemaSteps }) => schemaSteps)
    .filter(({ store }) => store === folder)
    .filter(({ version }) => compareSchemaVersions(version, from) > 0 && compareSchemaVersions(version, to) <= 0)
    .map(({ version, description, removesOrRewrites }) => ({
      version,
      description: description.replace(/\.$/, ''),
      removesOrRewrites,
    }))
    .toSorted((a, b) => compareSchemaVersions(a.version, b.version));
}

function noSuchStore(catalogue: Catalogue, version: string, kind: StoreKind, part: StorePart): PreconditionError {
  const having = catalogue.minors.filter((facts) => newestOf(catalogue, facts, kind, part) !== undefined);
  const [first, last] = [having.at(0)?.minor, having.at(-1)?.minor];
  const known = first === undefined ? 'no version in the catalogue has it' : `versions ${first} to ${last} have it`;
  return new PreconditionError(
    `server ${version} has no ${part} store of kind ${kind}: ${known}. Move to a store that every version on the path has first`,
    { version, kind, part },
  );
}
