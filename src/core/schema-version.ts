import { type Catalogue, type MinorFacts, isKnown, minorFacts } from './catalogue.js';
import { PreconditionError } from './errors.js';
import type { StoreKind } from './plan.js';
import { compareVersions } from './version.js';

/** Which of its two databases a store is to the server. */
export type StorePart = 'default' | 'visibility';

/** How the catalogue names what belongs to a kind of store. */
const NAMES: Readonly<Record<StoreKind, { readonly component: string; readonly folder: string }>> = {
  postgres12: { component: 'postgresql12', folder: 'postgresql/v12' },
};
/** How the catalogue, and the server's own folders, name the two databases. */
const PARTS: Readonly<Record<StorePart, string>> = { default: 'temporal', visibility: 'visibility' };

/** Folder of the schema scripts below the server's `schema/`, such as `postgresql/v12/temporal`; also `--schema-name`. */
export function schemaFolder(kind: StoreKind, part: StorePart): string {
  return `${NAMES[kind].folder}/${PARTS[part]}`;
}

/**
 * Schema version that a server version expects of a kind of store, by its exact patch.
 * @throws PreconditionError when the catalogue does not know the version, or the version does not have the store
 */
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

/** As {@link schemaVersions}, of one database. */
export function schemaVersion(catalogue: Catalogue, version: string, kind: StoreKind, part: StorePart): string {
  const facts = minorFacts(catalogue, version);
  if (facts === undefined || !isKnown(catalogue, version)) {
    throw new PreconditionError(`the catalogue knows no server version ${version}`, { version });
  }
  const { component } = NAMES[kind];
  const newest = facts.schema[component]?.[PARTS[part]] ?? undefined;
  if (newest === undefined) throw noSuchStore(catalogue, version, kind, part);
  return atPatch(facts, version, `${component}.${PARTS[part]}`, newest);
}

/** The catalogue holds the schema of a minor's newest patch; changes that came after `version` are taken back. */
function atPatch(facts: MinorFacts, version: string, component: string, newest: string): string {
  const later = facts.schemaChangedInPatch
    .filter((change) => change.component === component && compareVersions(change.patch, version) > 0)
    .toSorted((a, b) => compareVersions(a.patch, b.patch));
  return later[0]?.from ?? newest;
}

function noSuchStore(catalogue: Catalogue, version: string, kind: StoreKind, part: StorePart): PreconditionError {
  const { component } = NAMES[kind];
  const having = catalogue.minors.filter((facts) => typeof facts.schema[component]?.[PARTS[part]] === 'string');
  const [first, last] = [having.at(0)?.minor, having.at(-1)?.minor];
  const known = first === undefined ? 'no version in the catalogue has it' : `versions ${first} to ${last} have it`;
  return new PreconditionError(
    `server ${version} has no ${part} store of kind ${kind}: ${known}. Move to a store that every version on the path has first`,
    { version, kind, part },
  );
}
