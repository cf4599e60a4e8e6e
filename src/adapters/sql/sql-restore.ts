import { dirname, join } from 'node:path';
import type { SqlStore } from '../../core/input/input.js';
import type { StoredRun } from '../../core/restoring/compare-runs.js';
import { readManifest } from '../backup-manifest.js';
import type { RestoreOrder, StoreRestore } from '../store-restore.js';
import type { Work } from '../store.js';
import type { InStep } from '../store-parts/in-step.js';
import { restoringName } from './restore-names.js';

/** What differs between SQL databases in a way back to a backup. */
export interface SqlRestoreParts<Input extends SqlStore> extends Pick<
  StoreRestore,
  'findWay' | 'listSessions' | 'countSince' | 'readNamespaceNames'
> {
  checkBackup(order: RestoreOrder, work: Work): ReturnType<StoreRestore['checkBackup']>;
  /** How far a restore beside has come, by what is there. */
  readProgress(order: RestoreOrder): Promise<'nothing' | 'brought' | 'in place'>;
  /** Only where nothing of it is there yet. */
  bringBeside(order: RestoreOrder, work: Work): Promise<void>;
  bringInPlace(order: RestoreOrder, work: Work): Promise<void>;
  withRuns<T>(brought: Input, use: (runs: AsyncIterable<StoredRun>) => Promise<T>): Promise<T>;
  bringInStep(brought: Input, list: Parameters<StoreRestore['bringInStep']>[1], work: Work): Promise<InStep>;
  /** What {@link SqlRestoreParts.markInStep} wrote down; undefined before. */
  readInStep(order: RestoreOrder): Promise<InStep | undefined>;
  markInStep(order: RestoreOrder, done: InStep): Promise<void>;
  /** Lets the restored database take the place of the old one. @returns the name that this has then */
  swap(stamp: string, work: Work): Promise<string>;
  /** The backup of what is there before it is replaced in place. */
  backupBefore(order: RestoreOrder): string;
}

/** How a SQL database of a target goes back to its backup. */
export function createSqlRestore<Input extends SqlStore>(input: Input, parts: SqlRestoreParts<Input>): StoreRestore {
  const isInPlace = async () => (await parts.findWay()).way === 'in-place';
  /** Where the contents of the backup are now. */
  const brought = async (order: RestoreOrder): Promise<Input> => {
    if ((await isInPlace()) || (await parts.readProgress(order)) === 'in place') return input;
    return { ...input, database: restoringName(input.database) };
  };
  const { findWay, listSessions, countSince, readNamespaceNames } = parts;
  return {
    ...{ findWay, listSessions, countSince, readNamespaceNames },
    checkBackup: (order, work = {}) => parts.checkBackup(order, work),
    bring: async (order, work = {}) => {
      if (await isInPlace()) await parts.bringInPlace(order, work);
      else if ((await parts.readProgress(order)) === 'nothing') await parts.bringBeside(order, work);
      return readManifest(order.file);
    },
    withRuns: async (order, use) => parts.withRuns(await brought(order), use),
    bringInStep: async (order, list, work = {}) => {
      if (await isInPlace()) return parts.bringInStep(input, list, work);
      const before = await parts.readInStep(order);
      if (before !== undefined) return before;
      const done = await parts.bringInStep(await brought(order), list, work);
      await parts.markInStep(order, done);
      return done;
    },
    takePlace: async (order, work = {}) => {
      if (await isInPlace()) return parts.backupBefore(order);
      return `database ${await parts.swap(order.stamp, work)}`;
    },
  };
}

/** A backup of a database beside the one that it is replaced by; `type` ends its name. */
export function backupBesideOf(database: string, { file, stamp }: RestoreOrder, type: 'dump' | 'sql'): string {
  return join(dirname(file), `${database}-before-restore-${stamp}.${type}`);
}
