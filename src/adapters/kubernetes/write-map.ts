import { PreconditionError } from '../../core/errors.js';
import type { Setting } from '../dynamic-config/edit-settings.js';
import { SETTINGS } from './annotations.js';
import { hasStatus } from './api-error.js';
import { patiently } from './api.js';
import type { Context } from './context.js';
import type { DynamicPlace } from './dynamic-place.js';
import { givenBack, ownersOf } from './field-owners.js';
import { annotationWith, type MapRecord, recordsOf, textWith, textWithout } from './map-record.js';
import { nameOfFile } from './pod-configuration.js';
import { mapPath } from './pod-files.js';
import { ConfigMapShape } from './shapes.js';

type MapKey = Pick<DynamicPlace, 'configMap' | 'key'>;

/** A ConfigMap that somebody else writes at the same time. */
const TRIES = 10;

/**
 * Writes settings into the key of a ConfigMap, with what it was before in an annotation of the same change. Done twice it is done once.
 * @returns what was written down; undefined where the operator has all of them already
 * @throws PreconditionError when it cannot be read or changed
 */
export async function writeSettings(
  context: Context,
  place: MapKey,
  settings: readonly Setting[],
): Promise<MapRecord | undefined> {
  return insist(async () => {
    const { found, map, text, record, records } = await readKey(context, place);
    const owners = ownersOf(found, place.key);
    const wanted = textWith(nameOfFile(place), { text, record, settings }, { now: new Date(), owners });
    if (wanted.isThere) return wanted.record;
    if (wanted.record.written.length === 0 && record === undefined) return wanted.record;
    const annotations = { [SETTINGS]: annotationWith(records, place.key, wanted.record) };
    await patch(context, place, { metadata: { ...versionOf(map), annotations }, data: { [place.key]: wanted.text } });
    return wanted.record;
  });
}

/**
 * Makes the key of a ConfigMap what it was, and gives it back to whoever wrote it before. `aside` for a while: then what was written
 * stays written down. @returns what was written until then; undefined where nothing was
 */
export async function unwriteSettings(
  context: Context,
  place: MapKey,
  { aside = false }: { readonly aside?: boolean } = {},
): Promise<MapRecord | undefined> {
  const begun = await insist(async () => {
    const { map, text, record, records } = await readKey(context, place);
    if (record === undefined) return undefined;
    const before = textWithout(nameOfFile(place), text, record);
    if (record.aside === true && before === text) return record;
    // First this, and only then away with the record: killed in between, whoever comes next gives it back.
    const annotations = { [SETTINGS]: annotationWith(records, place.key, { ...record, aside: true }) };
    await patch(context, place, { metadata: { ...versionOf(map), annotations }, data: { [place.key]: before } });
    return record;
  });
  if (begun === undefined) return undefined;
  await insist(async () => {
    const { found, map, record, records } = await readKey(context, place);
    if (record === undefined) return;
    const annotations = aside ? {} : { [SETTINGS]: annotationWith(records, place.key, undefined) };
    const managedFields = givenBack(found, place.key, record.owners);
    await patch(context, place, { metadata: { ...versionOf(map), annotations, managedFields } });
  });
  return begun;
}

/** The key of a ConfigMap as it is. @throws PreconditionError when it is not there any more */
export async function readKey({ api, input, work }: Context, { configMap, key }: MapKey) {
  const found = await patiently(() => api.get(mapPath(input.namespace, configMap)), work);
  const map = ConfigMapShape.parse(found);
  const text = map.data[key];
  if (text === undefined)
    throw new PreconditionError(`configmap/${configMap} has no key ${key} any more; try again`, { configMap, key });
  const records = recordsOf(map);
  return { found, map, text, records, record: records[key] };
}

/** With the version that was read: what another wrote since must not be lost. */
function versionOf({ metadata: { resourceVersion } }: ConfigMapShape): {
  readonly resourceVersion?: string | undefined;
} {
  return { resourceVersion };
}

async function patch({ api, input, work }: Context, { configMap }: MapKey, body: object): Promise<void> {
  await api.patch(mapPath(input.namespace, configMap), body, 'merge', work);
}

/** Again from a new look, where somebody else wrote at the same time. */
async function insist<T>(run: () => Promise<T>): Promise<T> {
  for (let tried = 1; ; tried += 1) {
    try {
      return await run();
    } catch (error) {
      if (!hasStatus(error, 409) || tried >= TRIES) throw error;
    }
  }
}
