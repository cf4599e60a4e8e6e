import { join, resolve } from 'node:path';
import type { KeepBackups } from '../../core/input/backups.js';
import type { Target } from '../../core/input/input.js';
import { parseHopFolder } from '../../core/hop-folder.js';
import { oldBackups } from '../../core/old-backups.js';
import { BackupKeeper } from './backup-keeper.js';
import { listBackups } from './list-backups.js';

/** Folders of hops whose backups need not be kept any more, below the target's folder, the oldest first. Changes nothing. */
export async function findOldBackups(target: Target, keep: KeepBackups, now = Date.now()): Promise<string[]> {
  // What lies elsewhere below the folder was put there by somebody else.
  const ofHops = (await listBackups(target)).filter(({ hop }) => parseHopFolder(hop) !== undefined);
  const byHop = Map.groupBy(ofHops, ({ rollout, hop }) => join(rollout, hop));
  const hops = [...byHop].map(([folder, of]) => ({ folder, takenAt: of.at(-1)?.manifest.takenAt ?? '' }));
  return oldBackups(hops, keep, now);
}

/** Removes the backups of these hops, here and in the object store. Safe to run again. */
export async function removeBackups(target: Target, folders: readonly string[]): Promise<void> {
  const keeper = new BackupKeeper({ backupDir: target.backupDir, backups: target.backups ?? {} });
  for (const folder of folders) await keeper.remove(join(resolve(target.backupDir), folder));
}
