import { readdir, stat } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { codeOf, messageOf, PreconditionError } from '../../core/errors.js';
import { placeOfStore, type Target } from '../../core/input/input.js';
import { ofPart, partsIn, type StorePart } from '../../core/stores.js';
import { findManifest, parseManifest, type BackupManifest } from '../backup-manifest.js';
import { BackupKeeper } from './backup-keeper.js';
import { isOfConfiguration } from './configuration-backup.js';
import { keptName, readKeptList, type KeptList } from './kept-list.js';

/** A backup of a database, or of configuration, below the folder of a target's backups. */
export interface KeptBackup {
  readonly file: string;
  /** Workflow id of its roll-out, and folder of its hop, such as `live-1.30.7-to-1.31.2-1`. */
  readonly rollout: string;
  readonly hop: string;
  /** Which store of the target it is of, or that it is of its servers' configuration; absent when it is of none of them. */
  readonly store?: StorePart | 'configuration' | undefined;
  readonly manifest: BackupManifest;
  /** Where it is stored besides the folder, or in place of it. */
  readonly storedAt?: string | undefined;
  readonly encrypted: boolean;
  /** The file is not there, or of another size than was written down. */
  readonly problem?: string | undefined;
}

/**
 * Every backup that roll-outs of a target left, in its folder and in its object store, the oldest first, by what was
 * written down beside each; reads no backup itself.
 * @throws PreconditionError when the folder or the object store cannot be read
 */
export async function listBackups(target: Target): Promise<KeptBackup[]> {
  const root = resolve(target.backupDir);
  const found = new Map<string, KeptBackup>();
  const keeper = new BackupKeeper({ backupDir: target.backupDir, backups: target.backups ?? {} });
  for (const { file, list, manifest: text } of await keeper.listStored()) {
    const manifest = parseManifest(text);
    if (manifest !== undefined) found.set(file, described(target, { root, file, manifest, list }));
  }
  for (const file of await manifestedFiles(target, root)) {
    const manifest = await findManifest(file);
    if (manifest === undefined) continue;
    const stored = found.get(file);
    const list = await readKeptList(file);
    const problem = stored === undefined ? await sizeProblem(file, { manifest, list }) : undefined;
    found.set(file, stored ?? { ...described(target, { root, file, manifest, list }), problem });
  }
  return [...found.values()].toSorted((a, b) => a.manifest.takenAt.localeCompare(b.manifest.takenAt));
}

async function manifestedFiles({ name }: Target, root: string): Promise<string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true }).catch((cause: unknown) => {
    if (codeOf(cause) === 'ENOENT') return []; // no roll-out yet
    throw new PreconditionError(
      `"backupDir" ${root} of ${name} cannot be read: ${messageOf(cause)}`,
      { root },
      { cause },
    );
  });
  return entries
    .filter((entry) => entry.isFile() && entry.name.endsWith('.json'))
    .map((entry) => join(entry.parentPath, entry.name.slice(0, -'.json'.length)));
}

interface Found {
  readonly root: string;
  readonly file: string;
  readonly manifest: BackupManifest;
  readonly list: KeptList | undefined;
}

function described(target: Target, { root, file, manifest, list }: Found): KeptBackup {
  const [rollout = '', hop = ''] = relative(root, file).split('/');
  const { encrypted = false, storedAt } = list ?? {};
  const store = isOfConfiguration(manifest) ? 'configuration' : storeOf(target, manifest);
  return { file, rollout, hop, store, manifest, storedAt, encrypted };
}

function storeOf({ stores }: Target, { database, host, port }: BackupManifest): StorePart | undefined {
  return partsIn(stores).find((part) => {
    const place = placeOfStore(ofPart(stores, part));
    return place.database === database && place.host === host && place.port === port;
  });
}

/** Of what is kept here: the file of the store itself, or those of the list. */
async function sizeProblem(
  file: string,
  { manifest, list }: Pick<Found, 'manifest' | 'list'>,
): Promise<string | undefined> {
  const wanted = (list?.files ?? []).map((one) => ({
    path: join(dirname(file), keptName(one, { encrypted: list?.encrypted ?? false })),
    bytes: one.kept.bytes,
  }));
  for (const { path, bytes } of wanted.length === 0 ? [{ path: file, bytes: manifest.bytes }] : wanted) {
    const size = await stat(path).then(
      (found) => found.size,
      () => undefined,
    );
    const which = path === file ? 'the file' : path.slice(dirname(file).length + 1);
    if (size === undefined) return `${which} is not there`;
    if (size !== bytes) return `${which} has ${size} bytes, ${bytes} were written down`;
  }
  return undefined;
}
