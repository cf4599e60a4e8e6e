import { PreconditionError } from '../core/errors.js';
import { compareVersions } from '../core/version.js';
import type { RawMinor } from './catalogue-json.js';
import type { SchemaTable } from './schema-constants.js';

/** One number of a table of schemas, such as `postgresql12.visibility`. */
interface SchemaNumber {
  readonly component: string;
  readonly version: string | null;
}

/** The schemas that a patch expects: those of the newest patch, with what came later taken back. */
export function schemaAtPatch({ schema, schemaChangedInPatch }: RawMinor, patch: string): SchemaTable {
  const later = schemaChangedInPatch
    .filter((change) => compareVersions(change.patch, patch) > 0)
    .toSorted((a, b) => compareVersions(b.patch, a.patch));
  const table = structuredClone(schema);
  for (const { component, from } of later) {
    const [store = '', part = ''] = component.split('.');
    const parts = table[store];
    if (parts !== null && parts !== undefined) parts[part] = from;
  }
  return table;
}

/** Where two tables differ, in order of the alphabet; a store that one does not have counts as null. */
export function schemaChanges(before: SchemaTable, after: SchemaTable) {
  const from = numbersOf(before);
  const to = numbersOf(after);
  const names = [...new Set([...from, ...to].map(({ component }) => component))].toSorted();
  return names.flatMap((component) => {
    const change = { component, from: versionOf(from, component), to: versionOf(to, component) };
    return change.from === change.to ? [] : [change];
  });
}

function numbersOf(table: SchemaTable): SchemaNumber[] {
  return Object.entries(table).flatMap(([store, parts]) =>
    Object.entries(parts ?? {}).map(([part, version]) => ({ component: `${store}.${part}`, version })),
  );
}

function versionOf(numbers: readonly SchemaNumber[], component: string): string | null {
  return numbers.find((number) => number.component === component)?.version ?? null;
}

/** The two fields of a minor, from the schemas of each of its patches. */
export function schemaFields(
  patches: readonly { readonly patch: string; readonly schema: SchemaTable }[],
): Pick<RawMinor, 'schema' | 'schemaChangedInPatch'> {
  const sorted = patches.toSorted((a, b) => compareVersions(a.patch, b.patch));
  const changes = sorted.flatMap(({ patch, schema }, index) => {
    const before = sorted[index - 1];
    return before === undefined ? [] : schemaChanges(before.schema, schema).map((change) => ({ patch, ...change }));
  });
  const schemaChangedInPatch = changes.map(({ patch, component, from, to }) => {
    if (from !== null && to !== null) return { patch, component, from, to };
    throw new PreconditionError(
      `${component} ${from === null ? 'comes' : 'goes'} within a minor, with ${patch}; the catalogue cannot say that`,
    );
  });
  return { schema: structuredClone(sorted.at(-1)?.schema ?? {}), schemaChangedInPatch };
}
