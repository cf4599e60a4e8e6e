import { readdir, stat } from 'node:fs/promises';
import { basename, join, relative, resolve } from 'node:path';
import { findManifest, type BackupManifest } from './adapters/backup-manifest.js';
import { withTarget } from './adapters/open-target.js';
import { createToolResolver } from './adapters/tools/tool-resolver.js';
import { codeOf, messageOf, PreconditionError } from './core/errors.js';
import type { Target } from './core/input/input.js';

const STORES = ['default', 'visibility'] as const;

/** A backup of a database, below the folder of a target's backups. */
export interface KeptBackup {
  readonly file: string;
  /** Workflow id of its roll-out, and folder of its hop, such as `live-1.30.7-to-1.31.2-1`. */
  readonly rollout: string;
  readonly hop: string;
  /** Which store of the target it is of; absent when it is of none of them. */
  readonly store?: (typeof STORES)[number] | undefined;
  readonly manifest: BackupManifest;
  /** The file is not there, or of another size than was written down. */
  readonly problem?: string | undefined;
}

/**
 * Every backup of databases that roll-outs of a target left, the oldest first, by what was written down beside each; reads no
 * backup itself. @throws PreconditionError when the folder cannot be read
 */
export async function listBackups(target: Target): Promise<KeptBackup[]> {
  const root = resolve(target.backupDir);
  const files = await readdir(root, { recursive: true, withFileTypes: true }).catch((cause: unknown) => {
    if (codeOf(cause) === 'ENOENT') return []; // no roll-out yet
    throw new PreconditionError(
      `"backupDir" ${root} of ${target.name} cannot be read: ${messageOf(cause)}`,
      { root },
      { cause },
    );
  });
  const found: KeptBackup[] = [];
  for (const entry of files) {
    if (!entry.isFile() || !entry.name.endsWith('.json')) continue;
    const file = join(entry.parentPath, entry.name.slice(0, -'.json'.length));
    const manifest = await findManifest(file);
    if (manifest !== undefined) found.push(await described(target, { root, file, manifest }));
  }
  return found.toSorted((a, b) => a.manifest.takenAt.localeCompare(b.manifest.takenAt));
}

async function described(
  target: Target,
  { root, file, manifest }: { readonly root: string; readonly file: string; readonly manifest: BackupManifest },
): Promise<KeptBackup> {
  const [rollout = '', hop = ''] = relative(root, file).split('/');
  return { file, rollout, hop, store: storeOf(target, manifest), manifest, problem: await sizeProblem(file, manifest) };
}

function storeOf({ stores }: Target, { database, host, port }: BackupManifest): KeptBackup['store'] {
  return STORES.find((name) => {
    const store = stores[name];
    return store.database === database && store.host === host && store.port === port;
  });
}

async function sizeProblem(file: string, { bytes }: BackupManifest): Promise<string | undefined> {
  const size = await stat(file).then(
    (found) => found.size,
    () => undefined,
  );
  if (size === undefined) return 'the file is not there';
  return size === bytes ? undefined : `the file has ${size} bytes, ${bytes} were written down`;
}

/** A backup, and what is wrong with it; nothing when it is whole. */
export interface VerifiedBackup extends KeptBackup {
  readonly whole: boolean;
}

/**
 * Reads all of each backup again, as a restore does before it begins: checksum, contents by the store's own programs, schema.
 * `files` are some of those that {@link listBackups} gives; all of them when left out.
 * @throws PreconditionError when one of `files` is no backup of the target
 */
export async function verifyBackups(
  target: Target,
  files: readonly string[] | undefined,
  onProgress: (line: string) => void,
): Promise<VerifiedBackup[]> {
  const all = await listBackups(target);
  const wanted = files?.map((file) => {
    const found = all.find((one) => one.file === resolve(file));
    if (found !== undefined) return found;
    throw new PreconditionError(
      `${file} is no backup below ${resolve(target.backupDir)}, the "backupDir" of ${target.name}; backups list names them`,
      { file },
    );
  });
  const verified: VerifiedBackup[] = [];
  for (const one of wanted ?? all) {
    onProgress(`reading ${basename(one.file)} of ${one.hop}`);
    const problem = one.problem ?? (await contentProblem(target, one));
    verified.push({ ...one, problem, whole: problem === undefined });
  }
  return verified;
}

async function contentProblem(target: Target, { file, store, manifest }: KeptBackup): Promise<string | undefined> {
  if (store === undefined) {
    return `it is of database "${manifest.database}" at ${manifest.host}:${manifest.port}, which is no store of ${target.name}`;
  }
  const order = { file, sha256: manifest.sha256, schema: manifest.schemaVersion, stamp: 'verify' };
  try {
    await withTarget(target, createToolResolver(), ({ stores }) => stores[store].restore.checkBackup(order));
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}
