import { stat } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import { codeOf } from '../../core/errors.js';
import type { Role } from '../../core/input/input.js';
import type { RollSetting } from '../../core/plan.js';
import type { Work } from '../store.js';
import { type ConfiguredNode, findDynamicFiles, type DynamicFile, type DynamicFiles } from './dynamic-files.js';
import { addSettings, removeSettings, type Setting } from './edit-settings.js';
import { endOfLog } from './log-reader.js';
import { type Expected, type PickedUp, waitUntilPickedUp } from './picked-up.js';
import { readWhole, removePart, replaceFile, touchFile } from './replace-file.js';
import { readRecord, type RecordedFile, type SettingsRecord, writeRecord } from './settings-record.js';

/** What was done to the dynamic configuration of a target, and who has read it. */
export interface SettingsDone {
  readonly files: readonly {
    readonly path: string;
    readonly keys: readonly string[];
    readonly kept: readonly string[];
  }[];
  readonly nodes: readonly { readonly node: string; readonly pickedUp: PickedUp }[];
  readonly unreached: DynamicFiles['unreached'];
}

export interface ApplyOrder {
  /** File that keeps how all was before, of one target, the same in every roll-out of it. */
  readonly record: string;
  readonly nodes: readonly ConfiguredNode[];
  readonly settings: readonly RollSetting[];
}

/**
 * Writes `settings` into the dynamic configuration of each node of their role and waits until the servers have read them.
 * Keys that are there already stay. What an earlier roll left is taken back first.
 * @throws PreconditionError when a file cannot be read or changed by this worker
 */
export async function applySettings({ record, nodes, settings }: ApplyOrder, work?: Work): Promise<SettingsDone> {
  if (settings.length === 0) {
    // Nothing is read that nothing is written to: a file that is no YAML is in nobody's way then.
    await takeBackSettings({ record, nodes }, work);
    return { files: [], nodes: [], unreached: [] };
  }
  const found = concerned(await findDynamicFiles(nodes), nodes, settings);
  const present = await openRecord(record, { found, settings }, work);
  const files: RecordedFile[] = [];
  for (const [index, file] of present.files.entries()) {
    work?.onProgress?.(`setting ${file.written.length} keys in ${file.path}`);
    const set = await setInFile(file, async (changed) => {
      await writeRecord(record, { ...present, files: [...files, changed, ...present.files.slice(index + 1)] });
    });
    files.push(set);
  }
  const pickedUp = await waitUntilPickedUp(
    files.map((file): Expected => ({
      ...expectedOf(file, found, ({ appliedFrom }) => appliedFrom),
      changes: file.written,
    })),
    work,
  );
  return doneOf(files, pickedUp, found.unreached);
}

/**
 * Makes the files what they were: byte by byte where nobody changed them since, else without the keys that were written.
 * Does nothing when nothing was written, or all was taken back.
 * @throws PreconditionError when a file cannot be read or changed by this worker
 */
export async function takeBackSettings(
  { record, nodes }: Omit<ApplyOrder, 'settings'>,
  work?: Work,
): Promise<SettingsDone> {
  const found = await findDynamicFiles(nodes);
  const begun = await readRecord(record);
  if (begun === undefined || begun.takenBackAt !== undefined) return { files: [], nodes: [], unreached: [] };
  const present = await beginTakingBack(record, begun, found);
  const removed = await restoreFiles(present, work);
  const pickedUp = await waitUntilPickedUp(
    present.files.map((file, index): Expected => ({
      ...expectedOf(file, found, ({ takenBackFrom }) => takenBackFrom),
      changes: (removed[index] ?? []).map((key) => ({ key, value: null })),
    })),
    work,
  );
  await writeRecord(record, { ...present, takenBackAt: new Date().toISOString() });
  const files = present.files.map((file, index) => ({ ...file, written: toKeys(removed[index] ?? []) }));
  return doneOf(files, pickedUp, []);
}

/** Files that get a key, with all who read them; of the nodes without a file those whose role would get one. */
function concerned(
  { files, unreached }: DynamicFiles,
  nodes: readonly ConfiguredNode[],
  settings: readonly RollSetting[],
): DynamicFiles {
  const isSet = ({ role }: { readonly role: Role }) => settings.some((setting) => readsKeysOf(role) === setting.role);
  const names = nodes.filter(isSet).map(({ name }) => name);
  return {
    files: files.filter((file) => file.nodes.some(isSet)),
    unreached: unreached.filter(({ node }) => names.includes(node)),
  };
}

/** The role whose keys a role reads: internal frontends are frontends to their settings. */
function readsKeysOf(role: Role): Role {
  return role === 'internal-frontend' ? 'frontend' : role;
}

function toKeys(keys: readonly string[]): Setting[] {
  return keys.map((key) => ({ key, value: '' }));
}

/** The record of this very order where there is one, else a new one; written down before anything is changed. */
async function openRecord(
  file: string,
  { found, settings }: { readonly found: DynamicFiles; readonly settings: readonly RollSetting[] },
  work: Work | undefined,
): Promise<SettingsRecord> {
  const wanted = settings.map(({ key, value }) => ({ key, value }));
  const earlier = await readRecord(file);
  if (earlier !== undefined && earlier.takenBackAt === undefined) {
    const samePlaces = isDeepStrictEqual(
      earlier.files.map(({ path }) => path),
      found.files.map(({ path }) => path),
    );
    if (!earlier.takingBack && samePlaces && isDeepStrictEqual(earlier.wanted, wanted)) return earlier;
    await restoreFiles(earlier, work);
  }
  const files: RecordedFile[] = [];
  for (const place of found.files) files.push(await planFile(place, settings));
  const record: SettingsRecord = { format: 1, wanted, files, takingBack: false };
  await writeRecord(file, record);
  return record;
}

/** What is to be done to one file. Only keys of the roles that read it are written there. */
async function planFile({ path, pollMs, nodes }: DynamicFile, settings: readonly RollSetting[]): Promise<RecordedFile> {
  const roles = new Set(nodes.map(({ role }) => readsKeysOf(role)));
  const own = settings.filter(({ role }) => roles.has(role)).map(({ key, value }) => ({ key, value }));
  const before = await readWhole(path);
  const { text, added, kept } = addSettings(path, before.toString('utf8'), own);
  const places = await Promise.all(
    nodes.map(async ({ name, logFile }) => ({
      name,
      appliedFrom: logFile === undefined ? undefined : await endOfLog(logFile),
    })),
  );
  const after = added.length === 0 ? before : Buffer.from(text);
  return {
    path,
    pollMs,
    nodes: places,
    written: [...added],
    kept: [...kept],
    before: before.toString('base64'),
    after: after.toString('base64'),
  };
}

/** Brings one file to what is written down; where somebody changed it since, the keys that are missing are added to theirs. */
async function setInFile(file: RecordedFile, writeDown: (file: RecordedFile) => Promise<void>): Promise<RecordedFile> {
  if (file.written.length === 0) return file;
  const [present, after] = [await readWhole(file.path), Buffer.from(file.after, 'base64')];
  if (present.equals(after)) {
    await touchFile(file.path, (await stat(file.path)).mtimeMs); // killed before its time was set, it may be overlooked
    return file;
  }
  if (file.before !== undefined && present.equals(Buffer.from(file.before, 'base64'))) {
    await replaceFile(file.path, { from: present, to: after });
    return file;
  }
  const { text, added } = addSettings(file.path, present.toString('utf8'), file.written);
  const nodes = await Promise.all(
    file.nodes.map(async (node) => ({
      ...node,
      // What its log told of the keys when they were set first says nothing of now.
      appliedFrom: node.appliedFrom === undefined ? undefined : await endOfLog(node.appliedFrom.file),
    })),
  );
  const merged = { ...file, nodes, before: undefined, after: Buffer.from(text).toString('base64') };
  await writeDown(merged);
  if (added.length > 0) await replaceFile(file.path, { from: present, to: Buffer.from(text) });
  return merged;
}

async function beginTakingBack(file: string, record: SettingsRecord, found: DynamicFiles): Promise<SettingsRecord> {
  if (record.takingBack) return record;
  const logs = new Map(found.files.flatMap(({ nodes }) => nodes.map(({ name, logFile }) => [name, logFile] as const)));
  const files = await Promise.all(
    record.files.map(async (one) => ({
      ...one,
      nodes: await Promise.all(
        one.nodes.map(async (node) => {
          const logFile = logs.get(node.name);
          return { ...node, takenBackFrom: logFile === undefined ? undefined : await endOfLog(logFile) };
        }),
      ),
    })),
  );
  const begun = { ...record, files, takingBack: true };
  await writeRecord(file, begun);
  return begun;
}

/** The keys that were taken out of each file, whether now or by a try that was killed. */
async function restoreFiles({ files }: SettingsRecord, work: Work | undefined): Promise<(readonly string[])[]> {
  const removed: (readonly string[])[] = [];
  for (const file of files) {
    if (file.written.length > 0) work?.onProgress?.(`taking ${file.written.length} keys out of ${file.path}`);
    removed.push(file.written.length === 0 ? [] : await restoreFile(file));
  }
  return removed;
}

async function restoreFile({ path, written, before, after }: RecordedFile): Promise<readonly string[]> {
  await removePart(path); // killed before it was put in place, there may be nothing else to take back
  const isThere = await stat(path).then(
    () => true,
    (error: unknown) => codeOf(error) !== 'ENOENT', // somebody took it away: nothing of ours is left
  );
  if (!isThere) return [];
  const present = await readWhole(path);
  const original = before === undefined ? undefined : Buffer.from(before, 'base64');
  const all = written.map(({ key }) => key);
  if (original?.equals(present) === true) {
    await touchFile(path, (await stat(path)).mtimeMs);
    return all;
  }
  if (original !== undefined && present.equals(Buffer.from(after, 'base64'))) {
    await replaceFile(path, { from: present, to: original });
    return all;
  }
  const { text, removed, changed } = removeSettings(path, present.toString('utf8'), written);
  if (removed.length > 0) await replaceFile(path, { from: present, to: Buffer.from(text) });
  return all.filter((key) => !changed.includes(key));
}

function expectedOf(
  { path, pollMs, nodes }: RecordedFile,
  found: DynamicFiles,
  placeOf: (node: RecordedFile['nodes'][number]) => { file: string; from: number } | undefined,
): Omit<Expected, 'changes'> {
  // One whose configuration cannot be read any more is waited for: it may well run.
  const stopped = found.files.flatMap((file) => file.nodes.filter(({ running }) => !running).map(({ name }) => name));
  return {
    path,
    pollMs,
    nodes: nodes.map((node) => ({ name: node.name, running: !stopped.includes(node.name), log: placeOf(node) })),
  };
}

function doneOf(
  files: readonly RecordedFile[],
  pickedUp: ReadonlyMap<string, PickedUp>,
  unreached: DynamicFiles['unreached'],
): SettingsDone {
  return {
    files: files.map(({ path, written, kept }) => ({ path, keys: written.map(({ key }) => key), kept })),
    nodes: [...pickedUp].map(([node, state]) => ({ node, pickedUp: state })),
    unreached,
  };
}
