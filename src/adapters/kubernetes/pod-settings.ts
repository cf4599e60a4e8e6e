import type { DynamicConfigFacts } from '../../core/cluster.js';
import { messageOf } from '../../core/errors.js';
import type { RollSetting } from '../../core/plan.js';
import type { DriverSettings } from '../driver.js';
import type { PickedUp } from '../dynamic-config/picked-up.js';
import { contentOf, dynamicFacts } from '../dynamic-config/read-dynamic-config.js';
import type { SettingsDone } from '../dynamic-config/roll-settings.js';
import type { Work } from '../store.js';
import type { Context } from './context.js';
import { findPods } from './find-workloads.js';
import { type MapRecord, textWithout } from './map-record.js';
import { nodesOfWorkload } from './as-pod.js';
import { nameOfFile } from './pod-configuration.js';
import { type ExpectedOfPods, waitUntilPodsPickedUp } from './pods-picked-up.js';
import { findPlaces, isReadBy, type ReadPlace } from './settings-places.js';
import { readKey, unwriteSettings, writeSettings } from './write-map.js';

const NOTHING: SettingsDone = { files: [], nodes: [], unreached: [] };

/** The dynamic configuration of pods: keys of ConfigMaps, which a kubelet gives to them as files. */
export function createPodSettings(contextOf: (work?: Work) => Context): DriverSettings {
  return {
    read: () => readFacts(contextOf()),
    apply: (settings, work) => applyToPods(contextOf(work), settings),
    takeBack: (work) => takeBackFromPods(contextOf(work)),
  };
}

/** What a roll of this tool has written does not count: it is gone after it. */
async function readFacts(context: Context): Promise<DynamicConfigFacts> {
  try {
    const { places, unreached } = await findPlaces(context);
    const files = await Promise.all(
      places.map(async (place) => {
        const { text, record } = await readKey(context, place);
        const readers = place.readers.map(({ node, role }) => ({ name: node, role }));
        return { readers, ...contentOf(nameOfFile(place), textWithout(nameOfFile(place), text, record)) };
      }),
    );
    return dynamicFacts(files, unreached);
  } catch (error) {
    const reason = messageOf(error);
    const nodes = await nodesOf(context).catch(() => []);
    return { keysSet: [], unreached: nodes.map(({ name: node, role }) => ({ node, role, reason })) };
  }
}

async function nodesOf({ api, input }: Context) {
  const found = await findPods(api, input);
  return found.flatMap(({ workload, pods }) => nodesOfWorkload(workload, pods, input));
}

async function applyToPods(context: Context, settings: readonly RollSetting[]): Promise<SettingsDone> {
  const { work } = context;
  if (settings.length === 0) {
    await takeBackFromPods(context);
    return NOTHING;
  }
  const { places, unreached } = await findPlaces(context);
  const written: { readonly place: ReadPlace; readonly record: MapRecord }[] = [];
  const cleared: ExpectedOfPods[] = [];
  for (const place of places) {
    const own = settings.filter(({ role }) => isReadBy(role, place.readers)).map(({ key, value }) => ({ key, value }));
    if (own.length === 0) {
      cleared.push(...(await takeBackFrom(context, place)));
      continue;
    }
    work.onProgress?.(`setting ${own.length} keys in ${nameOfFile(place)}`);
    const record = await writeSettings(context, place, own);
    if (record !== undefined) written.push({ place, record });
  }
  const expected = written.map(({ place, record }) => expectedOf(place, record.at, record.written));
  const pickedUp = await waitUntilPodsPickedUp(context, [...expected, ...cleared]);
  return {
    files: written.map(({ place, record }) => ({
      path: nameOfFile(place),
      keys: record.written.map(({ key }) => key),
      kept: record.kept,
    })),
    nodes: statesOf(pickedUp),
    unreached: unreached.filter(({ role }) => settings.some((setting) => isReadBy(setting.role, [{ role }]))),
  };
}

async function takeBackFromPods(context: Context): Promise<SettingsDone> {
  const { places } = await findPlaces(context);
  const expected: ExpectedOfPods[] = [];
  for (const place of places) expected.push(...(await takeBackFrom(context, place)));
  const pickedUp = await waitUntilPodsPickedUp(context, expected);
  const files = expected.map(({ name, changes }) => ({ path: name, keys: changes.map(({ key }) => key), kept: [] }));
  return { files, nodes: statesOf(pickedUp), unreached: [] };
}

async function takeBackFrom(context: Context, place: ReadPlace): Promise<ExpectedOfPods[]> {
  const record = await unwriteSettings(context, place);
  if (record === undefined) return [];
  const { text } = await readKey(context, place);
  const left = new Set(contentOf(place.key, text).keys.map((key) => key.toLowerCase()));
  // One that somebody wants so by now stays, and no server tells of it.
  const gone = record.written.filter(({ key }) => !left.has(key.toLowerCase()));
  const changes = record.aside === true ? [] : gone.map(({ key }) => ({ key, value: null }));
  return [expectedOf(place, new Date().toISOString(), changes)];
}

/**
 * Before something that writes whole objects, such as helm, which would take the settings out without a word or refuse to go on: makes
 * the ConfigMaps what it expects. Nothing is replaced meanwhile.
 */
export async function setSettingsAside(context: Context): Promise<void> {
  const { places } = await findPlaces(context);
  for (const place of places) await unwriteSettings(context, place, { aside: true });
}

/** After it: writes again what was set aside, and waits until no server is without it. Does nothing when nothing was. */
export async function bringSettingsBack(context: Context): Promise<void> {
  const { places } = await findPlaces(context);
  const expected: ExpectedOfPods[] = [];
  for (const place of places) {
    const { record } = await readKey(context, place);
    if (record?.aside !== true) continue;
    context.work.onProgress?.(`setting ${record.written.length} keys in ${nameOfFile(place)} again`);
    const written = await writeSettings(context, place, record.written);
    if (written === undefined) continue;
    // A kubelet that looked in between has given out the file without them, which a server sees at its next look.
    expected.push({ ...expectedOf(place, written.at, written.written), notBeforeMs: place.pollMs + LOOK_MS });
  }
  await waitUntilPodsPickedUp(context, expected);
}

/** What a kubelet and a server take to read a file that has changed. */
const LOOK_MS = 2_000;

function expectedOf(place: ReadPlace, at: string, changes: ExpectedOfPods['changes']): ExpectedOfPods {
  const { pollMs, tells, readers } = place;
  return { name: nameOfFile(place), at, changes, pollMs, tells, pods: readers };
}

function statesOf(pickedUp: ReadonlyMap<string, PickedUp>): SettingsDone['nodes'] {
  return [...pickedUp].map(([node, state]) => ({ node, pickedUp: state }));
}
