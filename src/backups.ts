import { mkdir, readFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import { BackupKeeper } from './adapters/backups/backup-keeper.js';
import { withRestoreLock } from './adapters/backups/backup-lock.js';
import { checkConfiguration } from './adapters/backups/configuration-backup.js';
import { findOldBackups, removeBackups } from './adapters/backups/remove-old-backups.js';
import { listBackups, type KeptBackup } from './adapters/backups/list-backups.js';
import { refreshRuns } from './adapters/cluster/refresh-runs.js';
import { withTarget as withFrontend } from './adapters/cluster/target-connection.js';
import { withTarget } from './adapters/open-target.js';
import {
  checkBackups,
  requireStopped,
  restoreStores,
  waitUntilAlone,
  type RestoredStores,
  type RestoreOrders,
} from './adapters/restore-stores.js';
import type { Work } from './adapters/store.js';
import { createToolResolver } from './adapters/tools/tool-resolver.js';
import { writeWhole } from './adapters/write-whole.js';
import { messageOf, PreconditionError } from './core/errors.js';
import { parseHopFolder } from './core/hop-folder.js';
import type { KeepBackups } from './core/input/backups.js';
import type { Target } from './core/input/input.js';
import { mapStores, ofPart, partsIn, type PerStore, type StorePart } from './core/stores.js';

export { findOldBackups, listBackups, removeBackups, type KeepBackups, type KeptBackup };

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
    const problem = one.problem ?? (await contentProblem(target, one, { onProgress }));
    verified.push({ ...one, problem, whole: problem === undefined });
  }
  return verified;
}

async function contentProblem(
  target: Target,
  { file, store, manifest }: KeptBackup,
  work: Work,
): Promise<string | undefined> {
  if (store === undefined) {
    return `it is of database "${manifest.database}" at ${manifest.host}:${manifest.port}, which is no store of ${target.name}`;
  }
  if (store === 'configuration') return configurationProblem(target, { file, sha256: manifest.sha256 }, work);
  const order = { file, sha256: manifest.sha256, schema: manifest.schemaVersion, stamp: 'verify' };
  try {
    await withTarget(target, createToolResolver(), ({ stores }) =>
      ofPart(stores, store).restore.checkBackup(order, work),
    );
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

async function configurationProblem(
  { backupDir, backups = {} }: Target,
  { file, sha256 }: { readonly file: string; readonly sha256: string },
  work: Work,
): Promise<string | undefined> {
  try {
    await new BackupKeeper({ backupDir, backups }).withPlain(file, work, () => checkConfiguration(file, sha256));
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

/** The backups of a hop that a restore by hand goes back to. */
export interface HopToRestore {
  /** As `backups list` shows it: `upgrade-prod/live-1.30.7-to-1.31.2-1`. */
  readonly hop: string;
  /** Server version to start afterwards, as the folder says. */
  readonly version: string;
  readonly backups: PerStore<KeptBackup>;
}

/** @throws PreconditionError when the hop has not the backups of all stores */
export async function findHop(target: Target, hop: string): Promise<HopToRestore> {
  const all = (await listBackups(target)).filter((one) => `${one.rollout}/${one.hop}` === hop.replace(/\/+$/, ''));
  // The oldest is that of the hop: a restore in place that was killed has left one of what it found.
  const of = (part: StorePart) => all.find(({ store }) => store === part);
  const missing = partsIn(target.stores).filter((part) => of(part) === undefined);
  const version = parseHopFolder(hop.split('/').at(-1) ?? '')?.from;
  if (missing.length === 0 && version !== undefined) {
    return { hop, version, backups: mapStores(target.stores, (_, part) => of(part) as KeptBackup) }; // none is missing
  }
  throw new PreconditionError(
    `${hop} has ${all.length === 0 ? 'no backups' : `no backup of ${missing.join(' and ')}`} of ${target.name}; backups list names the hops that have`,
    { hop },
  );
}

/** Keeps the stamp of a restore until it is done, so that one that was killed goes on. */
const Journal = z.object({ stamp: z.string(), done: z.boolean() });

/**
 * Takes the databases of a target back to the backups of a hop, as a roll-out does at its gate; servers have to be stopped before,
 * and are started by hand after it. Killed on any line, it is run again and goes on.
 * @throws PreconditionError
 */
export async function restoreHop(target: Target, hop: HopToRestore, work: Work): Promise<RestoredStores> {
  return withRestoreLock(resolve(target.backupDir), () => restoreHopAlone(target, hop, work));
}

async function restoreHopAlone(target: Target, { hop, backups }: HopToRestore, work: Work): Promise<RestoredStores> {
  const folder = join(resolve(target.backupDir), hop);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const stamp = await beginRestore(folder);
  const orderOf = ({ file, manifest: { sha256, schemaVersion } }: KeptBackup) => ({
    ...{ file, sha256, schema: schemaVersion, stamp },
  });
  const orders: RestoreOrders = mapStores(backups, orderOf);
  return withTarget(target, createToolResolver(), async (opened) => {
    await requireStopped(target, opened);
    await waitUntilAlone(target, opened, work);
    for (const part of partsIn(opened.stores)) await ofPart(opened.stores, part).restore.findWay();
    await checkBackups(opened, orders, work);
    const restored = await restoreStores(target, opened, { orders, listFile: refreshFile(folder) }, work);
    await writeWhole(journalFile(folder), JSON.stringify({ stamp, done: true }));
    return restored;
  });
}

/** Has the servers, which run again, write the visibility of workflows whose rows were not in step. Safe to run again. */
export async function refreshHop(target: Target, hop: string, work: Work): ReturnType<typeof refreshRuns> {
  const folder = join(resolve(target.backupDir), hop);
  return withFrontend(target.connection, (frontend) => refreshRuns(frontend, refreshFile(folder), work));
}

async function beginRestore(folder: string): Promise<string> {
  const text = await readFile(journalFile(folder), 'utf8').catch(() => undefined);
  const before = text === undefined ? undefined : Journal.safeParse(JSON.parse(text)).data;
  if (before?.done === false) return before.stamp;
  const stamp = new Date().toISOString().replace(/\.\d+/, '').replace(/\D/g, '');
  await writeWhole(journalFile(folder), JSON.stringify({ stamp, done: false }));
  return stamp;
}

function journalFile(folder: string): string {
  return join(folder, 'restore.journal');
}

function refreshFile(folder: string): string {
  return join(dirname(folder), `${basename(folder)}-refresh.jsonl`);
}
