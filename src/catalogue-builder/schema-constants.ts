import { PreconditionError } from '../core/errors.js';
import { namesBelow, type ReleaseFiles } from './release-files.js';
import { versionedFolders } from './versioned-scripts.js';

/** A kind of store as the catalogue names it, and where a release keeps its schema; older layouts come later. */
interface StoreLayout {
  readonly component: string;
  /** Below `schema/`: the file of the constants, and the folder of the scripts. */
  readonly places: readonly { readonly constants: string; readonly folder: string }[];
  /** Its schema version has no versioned scripts where nobody upgrades it in place. */
  readonly mayLackScripts?: true;
}

const LAYOUTS: readonly StoreLayout[] = [
  { component: 'cassandra', places: [{ constants: 'cassandra/version.go', folder: 'cassandra' }] },
  {
    component: 'mysql57',
    places: [
      { constants: 'mysql/v57/version.go', folder: 'mysql/v57' },
      { constants: 'mysql/version.go', folder: 'mysql/v57' },
    ],
  },
  { component: 'mysql8', places: [{ constants: 'mysql/v8/version.go', folder: 'mysql/v8' }] },
  {
    component: 'postgresql',
    places: [
      { constants: 'postgresql/v96/version.go', folder: 'postgresql/v96' },
      { constants: 'postgresql/version.go', folder: 'postgresql/v96' },
      { constants: 'postgres/version.go', folder: 'postgres' },
    ],
  },
  { component: 'postgresql12', places: [{ constants: 'postgresql/v12/version.go', folder: 'postgresql/v12' }] },
  { component: 'sqlite', places: [{ constants: 'sqlite/version.go', folder: 'sqlite/v3' }], mayLackScripts: true },
];

const PARTS = [
  { part: 'temporal', constant: 'Version' },
  { part: 'visibility', constant: 'VisibilityVersion' },
] as const;

/** Schema versions by component and part, as the catalogue has them; null where the release has no such store. */
export type SchemaTable = Readonly<Record<string, Readonly<Record<string, string | null>> | null>>;

export interface Schemas {
  readonly table: SchemaTable;
  /** Folders below `schema/` with scripts that an upgrade runs, such as `postgresql/v12/visibility`. */
  readonly upgradable: readonly string[];
}

/**
 * Reads the schema version that the release expects of each store, and compares it with the highest versioned folder.
 * @throws PreconditionError naming both where they disagree, or what is there that is not known here
 */
export function readSchemas(files: ReleaseFiles): Schemas {
  const used = new Set<string>();
  const upgradable: string[] = [];
  const table: Record<string, Record<string, string | null> | null> = {};
  for (const { component, places, mayLackScripts } of LAYOUTS) {
    const place = places.find(({ constants }) => files.has(`schema/${constants}`));
    table[component] = null;
    if (place === undefined) continue;
    used.add(place.constants);
    const parts = PARTS.map(({ part, constant }) => {
      const store = `${place.folder}/${part}`;
      const expected = readConstant(files, `schema/${place.constants}`, constant);
      checkFolders(files, { store, expected, constants: place.constants, mayLackScripts: mayLackScripts === true });
      if (expected !== null && mayLackScripts !== true) upgradable.push(store);
      return [part, expected] as const;
    });
    table[component] = Object.fromEntries(parts);
  }
  checkNothingIsLeft(files, used);
  return { table: { ...table, elasticsearch: { visibilityTemplate: readTemplate(files) } }, upgradable };
}

/** A constant of a Go file; null when the file has none of that name. 1.0 lets one store have the constants of another. */
function readConstant(files: ReleaseFiles, path: string, name: string): string | null {
  const text = files.get(path) ?? '';
  const value = new RegExp(`^\\s*(?:const\\s+)?${name}\\s*=\\s*(\\S+)`, 'm').exec(text)?.[1];
  if (value === undefined) return null;
  const literal = /^"(\d+\.\d+)"$/.exec(value)?.[1];
  if (literal !== undefined) return literal;
  const [, folder] = new RegExp(`"go\\.temporal\\.io/server/(schema/[^"]*/?${value.split('.')[0]})"`).exec(text) ?? [];
  if (folder !== undefined && value.endsWith(`.${name}`)) return readConstant(files, `${folder}/version.go`, name);
  throw new PreconditionError(`${path} gives ${name} as ${value}; expected a number such as "1.9"`);
}

function checkFolders(
  files: ReleaseFiles,
  store: {
    readonly store: string;
    readonly expected: string | null;
    readonly constants: string;
    readonly mayLackScripts: boolean;
  },
): void {
  const folders = `schema/${store.store}/versioned`;
  const highest = versionedFolders(files, store.store).at(-1) ?? null;
  if (highest === null && store.mayLackScripts) return;
  if (highest === store.expected) return;
  throw new PreconditionError(
    `schema/${store.constants} expects ${store.expected ?? 'no version'} of ${store.store}, but the highest folder of ${folders} is ${highest === null ? 'not there' : `v${highest}`}`,
    { store: store.store, constant: store.expected, folder: highest },
  );
}

/** A store that is not known here must not be passed over in silence. */
function checkNothingIsLeft(files: ReleaseFiles, used: ReadonlySet<string>): void {
  const left = [...files.keys()].filter(
    (path) => path.startsWith('schema/') && path.endsWith('/version.go') && !used.has(path.slice('schema/'.length)),
  );
  if (left.length === 0) return;
  throw new PreconditionError(
    `the release has a store that the builder of the catalogue does not know: ${left.join(', ')}; teach it in schema-constants.ts`,
  );
}

/** Elasticsearch has no constant: the highest folder is what a release wants. */
function readTemplate(files: ReleaseFiles): string | null {
  const numbers = namesBelow(files, 'schema/elasticsearch/visibility/versioned').map((name) => {
    const number = /^v(\d+)$/.exec(name)?.[1];
    if (number !== undefined) return Number(number);
    throw new PreconditionError(`schema/elasticsearch/visibility/versioned/${name} is no version of a template`);
  });
  return numbers.length === 0 ? null : `v${Math.max(...numbers)}`;
}
