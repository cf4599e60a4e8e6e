import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ApplicationFailure } from '@temporalio/activity';
import { BackupKeeper } from '../adapters/backups/backup-keeper.js';
import { backUpConfiguration } from '../adapters/backups/configuration-backup.js';
import { findOldBackups, removeBackups } from '../adapters/backups/remove-old-backups.js';
import type { ConfigurationFile } from '../adapters/driver.js';
import { createDriver, withTarget } from '../adapters/open-target.js';
import type { ToolResolver } from '../adapters/tools/tools.js';
import type { HopPlace, TargetActivities } from '../contract/activities.js';
import { FailureType } from '../contract/names.js';
import { PreconditionError } from '../core/errors.js';
import { nameOfHopFolder } from '../core/hop-folder.js';
import { databaseNameOf, type Target } from '../core/input/input.js';
import { markOfRun } from '../core/run-mark.js';
import { mapStores, ofPart, partsIn, type StorePart } from '../core/stores.js';
import { compareSchemaVersions } from '../core/version.js';
import { currentWork, reportProgress } from './guard.js';

type StoreActivities = Pick<
  TargetActivities,
  'backUpStore' | 'backUpConfiguration' | 'removeOldBackups' | 'upgradeSchema'
>;

/** Activities on the databases of a target. */
export const createStoreActivities = ({ tools }: { readonly tools: ToolResolver }): StoreActivities => ({
  async backUpStore({ store, ...place }) {
    const directory = await folderOf(place);
    const file = join(directory, `${backupName(place.target, store)}.dump`);
    const backup = await withTarget(place.target, tools, ({ stores }) =>
      ofPart(stores, store).backUp(file, currentWork()),
    );
    return { store, ...backup };
  },

  async backUpConfiguration(place) {
    const file = join(await folderOf(place), 'configuration.tar.gz');
    const { backupDir, backups = {} } = place.target;
    const keeper = new BackupKeeper({ backupDir, backups });
    const kept = await keeper.find(file, currentWork());
    if (kept !== undefined) return { store: 'configuration', ...kept };
    const driver = createDriver(place.target, tools);
    const found = await driver.configurationFiles?.(currentWork());
    const archive = (paths: readonly string[]) =>
      backUpConfiguration({ paths, file, serverVersion: place.from }, currentWork());
    const made = await (found === undefined
      ? archive(driver.configurationPaths())
      : withFiles(`${file}.files`, found, archive));
    await keeper.keep(made, currentWork());
    return { store: 'configuration', ...made };
  },

  async removeOldBackups({ target }) {
    const keep = target.backups?.keep;
    if (keep === undefined) return { folders: [] };
    const folders = await findOldBackups(target, keep);
    await removeBackups(target, folders);
    return { folders };
  },

  async upgradeSchema({ target, store, schema, to }) {
    return withTarget(target, tools, async ({ stores }) => {
      const database = ofPart(stores, store);
      const before = await database.readSchemaVersion();
      reportProgress({ store, before });
      const order = compareSchemaVersions(before, schema);
      if (order === 0) return { store, before, after: before, changed: false, alsoDone: [] };
      if (order > 0) {
        throw ApplicationFailure.nonRetryable(
          `the ${store} schema of ${target.name} is ${before}, newer than ${schema}, which server ${to} wants`,
          FailureType.precondition,
        );
      }
      const alsoDone = await database.updateSchema({ to: schema, serverVersion: to }, currentWork());
      const after = await database.readSchemaVersion();
      if (compareSchemaVersions(after, schema) < 0) {
        throw new PreconditionError(
          `the ${store} schema of ${target.name} is ${after} after the update, not ${schema}`,
        );
      }
      return { store, before, after, changed: true, alsoDone };
    });
  },
});

/** Name of the database; of two stores whose databases have one name, on different servers, the later one has its part beside it. */
function backupName({ stores }: Target, part: StorePart): string {
  const names = mapStores(stores, databaseNameOf);
  const name = ofPart(names, part);
  const first = partsIn(names).find((other) => names[other] === name);
  return first === part ? name : `${name}-${part}`;
}

/** That of this roll-out alone: the backup of an earlier one with the same id, which was aborted, is of another time. */
async function folderOf({ target, rolloutId, firstRunId, ...hop }: HopPlace): Promise<string> {
  const directory = join(target.backupDir, rolloutId, nameOfHopFolder({ ...hop, run: markOfRun(firstRunId) }));
  await mkdir(directory, { recursive: true, mode: 0o700 });
  return directory;
}

/** Writes files into a folder for their owner alone, for as long as `use` takes. */
async function withFiles<T>(
  directory: string,
  files: readonly ConfigurationFile[],
  use: (paths: readonly string[]) => Promise<T>,
): Promise<T> {
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true, mode: 0o700 });
  try {
    for (const { path, text } of files) await writeFile(join(directory, path), text, { mode: 0o600 });
    return await use(files.map(({ path }) => join(directory, path)));
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
