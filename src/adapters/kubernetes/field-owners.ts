import { z } from 'zod';
import { FIELD_MANAGER } from './api.js';

/** Whoever applies on the server's side, such as helm 4, is refused what another has written last: so fields are given back. */

/** An entry of `managedFields`, as it is. */
const Entry = z.looseObject({
  manager: z.string().default(''),
  operation: z.string().default(''),
  fieldsV1: z.record(z.string(), z.unknown()).optional(),
});
type Entry = z.infer<typeof Entry>;

/** Who owns a field. */
export const FieldOwner = z.object({ manager: z.string(), operation: z.string() });
export type FieldOwner = z.infer<typeof FieldOwner>;

const Owned = z.looseObject({ metadata: z.looseObject({ managedFields: z.array(Entry).default([]) }) });

/** Who owns a key of a ConfigMap, beside this tool. */
export function ownersOf(configMap: unknown, key: string): FieldOwner[] {
  return entriesOf(configMap)
    .filter(({ manager, fieldsV1 }) => manager !== FIELD_MANAGER && `f:${key}` in dataOf(fieldsV1))
    .map(({ manager, operation }) => ({ manager, operation }));
}

/** `managedFields` with the key of a ConfigMap taken from this tool and given back to whoever had it. */
export function givenBack(configMap: unknown, key: string, owners: readonly FieldOwner[]): unknown[] {
  const entries = entriesOf(configMap).flatMap((entry) =>
    entry.manager === FIELD_MANAGER ? without(entry, key) : [entry],
  );
  const missing = owners.filter((owner) => !entries.some((entry) => isOf(entry, owner)));
  return [
    ...entries.map((entry) => (owners.some((owner) => isOf(entry, owner)) ? withKey(entry, key) : entry)),
    ...missing.map((owner) =>
      withKey({ ...owner, apiVersion: 'v1', fieldsType: 'FieldsV1', time: new Date().toISOString() }, key),
    ),
  ];
}

function entriesOf(configMap: unknown): Entry[] {
  return Owned.parse(configMap).metadata.managedFields;
}

function isOf(entry: Entry, { manager, operation }: FieldOwner): boolean {
  return entry.manager === manager && entry.operation === operation;
}

function dataOf(fields: Entry['fieldsV1']): Record<string, unknown> {
  const data = fields?.['f:data'];
  return typeof data === 'object' && data !== null ? { ...data } : {};
}

function withKey(entry: Entry, key: string): Entry {
  return { ...entry, fieldsV1: { ...entry.fieldsV1, 'f:data': { ...dataOf(entry.fieldsV1), [`f:${key}`]: {} } } };
}

/** None where it owns nothing else. */
function without(entry: Entry, key: string): Entry[] {
  const left = Object.entries(dataOf(entry.fieldsV1)).filter(([name]) => name !== `f:${key}`);
  const others = Object.entries(entry.fieldsV1 ?? {}).filter(([name]) => name !== 'f:data');
  const fields = left.length === 0 ? others : [...others, ['f:data', Object.fromEntries(left)] as const];
  return fields.length === 0 ? [] : [{ ...entry, fieldsV1: Object.fromEntries(fields) }];
}
