import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { PreconditionError } from '../../core/errors.js';
import { addSettings, removeSettings, type Setting } from '../dynamic-config/edit-settings.js';
import { SETTINGS } from './annotations.js';
import { FieldOwner } from './field-owners.js';
import type { ConfigMapShape } from './shapes.js';

/** What was written into one key of a ConfigMap, and what it was before. */
const MapRecord = z.object({
  /** When it was written first, ISO 8601: servers tell of it after that. */
  at: z.string(),
  /** Its whole text. */
  before: z.string(),
  /** SHA-256 of the text with the settings, by which it is known whether somebody else has changed it since. */
  after: z.string(),
  written: z.array(z.object({ key: z.string(), value: z.string() })),
  kept: z.array(z.string()),
  /** Who had the field: it is given back. */
  owners: z.array(FieldOwner),
  /** Set while the text is as it was before, for helm to find what it expects. */
  aside: z.literal(true).optional(),
});
export type MapRecord = z.infer<typeof MapRecord>;

const Records = z.record(z.string(), MapRecord);

/** What was written into the keys of a ConfigMap. @throws PreconditionError when the annotation is none of ours */
export function recordsOf({ metadata: { name, annotations } }: ConfigMapShape): Readonly<Record<string, MapRecord>> {
  const text = annotations[SETTINGS];
  if (text === undefined) return {};
  const records = Records.safeParse(parseJson(text));
  if (records.success) return records.data;
  throw new PreconditionError(
    `the annotation ${SETTINGS} of configmap/${name} cannot be read; take the settings of the roll out of it by hand, then remove the annotation`,
    { configMap: name },
  );
}

/** The text without what the record says was written: byte by byte as before where nobody else changed it since. */
export function textWithout(file: string, text: string, record: MapRecord | undefined): string {
  if (record === undefined || record.aside === true) return text;
  if (hashOf(text) === record.after) return record.before;
  return removeSettings(file, text, record.written).text;
}

export interface Written {
  readonly text: string;
  readonly record: MapRecord;
  /** Whether nothing has to be changed for it. */
  readonly isThere: boolean;
}

/**
 * The text with `settings` at its end, and what is to be written down with it; keys that are there stay.
 * @throws PreconditionError when the text cannot be read
 */
export function textWith(
  file: string,
  {
    text,
    record,
    settings,
  }: { readonly text: string; readonly record: MapRecord | undefined; readonly settings: readonly Setting[] },
  { now, owners }: { readonly now: Date; readonly owners: readonly FieldOwner[] },
): Written {
  const before = textWithout(file, text, record);
  const { text: after, added, kept } = addSettings(file, before, settings);
  const written = added.map(({ key, value }) => ({ key, value }));
  const same = record !== undefined && isDeepStrictEqual(record.written, written);
  return {
    text: after,
    isThere: same && text === after && record.aside !== true,
    record: {
      at: same ? record.at : now.toISOString(),
      before,
      after: hashOf(after),
      written,
      kept: [...kept],
      // Once it is written the field is ours; who had it before still stands in the record.
      owners: owners.length > 0 ? [...owners] : (record?.owners ?? []),
    },
  };
}

/** The annotation with another record for one key; null where none is left. */
export function annotationWith(
  records: Readonly<Record<string, MapRecord>>,
  key: string,
  record: MapRecord | undefined,
): string | null {
  const others = Object.entries(records).filter(([name]) => name !== key);
  const all = record === undefined ? others : [...others, [key, record] as const];
  return all.length === 0 ? null : JSON.stringify(Object.fromEntries(all));
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
