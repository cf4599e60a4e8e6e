import { stat } from 'node:fs/promises';
import { PreconditionError } from '../../core/errors.js';
import { placeOfStore, type Target } from '../../core/input/input.js';
import { ofPart, type StorePart } from '../../core/stores.js';
import { checkManifest, findOwnManifest, sha256Of } from '../backup-manifest.js';
import { readSnapshotRecord } from '../store-parts/snapshot-record.js';
import type { StoreRestore } from '../store-restore.js';
import type { Backup, Store, Work } from '../store.js';
import { BackupKeeper } from './backup-keeper.js';
import { SnapshotRecord, takeSnapshotByCommand } from './snapshot-command.js';

/** A store of `target` whose backups are made and kept as its input says; the store itself where it says nothing. */
export function keepBackups(store: Store, part: StorePart, target: Target): Store {
  const { backups, backupDir } = target;
  if (backups === undefined) return store;
  const keeper = new BackupKeeper({ backupDir, backups });
  const of = placeOfStore(ofPart(target.stores, part));
  const made = snapshotStore(store, part, target);
  const copies = backups.encryption === undefined ? 1 : 2;
  return {
    ...made,
    survey: async (request) => {
      const survey = await made.survey(request);
      return { ...survey, backup: { copies, ...survey.backup } };
    },
    backUp: async (file, work: Work = {}) => {
      await findOwnManifest(file, of); // a list alone does not say whose it is
      const kept = await keeper.find(file, work);
      if (kept !== undefined) return kept;
      const backup = await made.backUp(file, work);
      await keeper.keep(backup, work);
      return backup;
    },
    restore: {
      ...made.restore,
      checkBackup: (order, work: Work = {}) =>
        keeper.withPlain(order.file, work, () => made.restore.checkBackup(order, work)),
      bring: (order, work: Work = {}) => {
        const keepBefore = (before: string, make: () => Promise<Backup>) => keeper.makeOnce(before, make, work);
        return keeper.withPlain(order.file, work, () => made.restore.bring({ ...order, keepBefore }, work));
      },
      takePlace: async (order, work: Work = {}) => {
        const place = await made.restore.takePlace(order, work);
        await keepFileOf(place, keeper, work);
        return place;
      },
    },
  };
}

/** A restore in place has made a backup of what was there before. */
async function keepFileOf(place: string, keeper: BackupKeeper, work: Work): Promise<void> {
  if (!place.startsWith('/') || (await keeper.find(place, work)) !== undefined) return;
  const found = await stat(place).catch(() => undefined);
  if (found?.isFile() !== true) return;
  await keeper.keep({ file: place, bytes: found.size, sha256: await sha256Of(place, work.signal), entries: 1 }, work);
}

/** Backups are snapshots that a command of the operator takes, where the input names one; the store itself where it does not. */
function snapshotStore(store: Store, part: StorePart, { stores, backups }: Target): Store {
  const commands = backups?.snapshots;
  const words = commands?.[part];
  if (commands === undefined || words === undefined) return store;
  const of = placeOfStore(ofPart(stores, part));
  const restore: StoreRestore = {
    ...store.restore,
    findWay: () =>
      Promise.reject(
        new PreconditionError(
          `backups of the ${part} store are snapshots of its provider ("backups.snapshots.${part}"), which alone can bring them back; the record ` +
            'beside the other backups of the hop has the id',
          { store: part },
        ),
      ),
    checkBackup: async (order) => {
      const manifest = await checkManifest(of, order);
      await readSnapshotRecord(order.file, SnapshotRecord);
      return manifest;
    },
    bring: async ({ file }) => {
      const { snapshot } = await readSnapshotRecord(file, SnapshotRecord);
      throw new PreconditionError(
        `the backup of the ${part} store is snapshot "${snapshot}" of its provider, which alone can bring it back: stop all servers, restore ` +
          'it, start the servers of the version before, then say retry',
        { snapshot, file },
      );
    },
  };
  return {
    ...store,
    survey: async (request) => {
      const survey = await store.survey(request);
      return { ...survey, backup: { ...survey.backup, program: { seen: words[0] ?? '' }, copies: 0 } };
    },
    backUp: (file, work: Work = {}) => takeSnapshotByCommand(store, { words, commands, of, file }, work),
    restore,
  };
}
