import { rm } from 'node:fs/promises';
import { create, list } from 'tar';
import { PreconditionError } from '../../core/errors.js';
import { writeBackup } from '../backup-file.js';
import { manifestPath, readWholeBackup, type BackupManifest } from '../backup-manifest.js';
import type { Backup, Work } from '../store.js';

/** What the manifest of such a backup names in place of a database. */
const PLACE = { database: 'configuration', host: '', port: 0 } as const;

/** Whether a manifest is that of a backup of servers' configuration. */
export function isOfConfiguration({ database, host, port }: Pick<BackupManifest, keyof typeof PLACE>): boolean {
  return database === PLACE.database && host === PLACE.host && port === PLACE.port;
}

/**
 * The folders and files `paths` as an archive that only its owner can read (it may hold passwords), read back entry by entry, with
 * its manifest. Always made anew: whoever tries again may have mended the configuration meanwhile.
 */
export async function backUpConfiguration(
  {
    paths,
    file,
    serverVersion,
  }: { readonly paths: readonly string[]; readonly file: string; readonly serverVersion: string },
  work: Work,
): Promise<Backup> {
  await rm(manifestPath(file), { force: true });
  return writeBackup(
    PLACE,
    file,
    async (partial) => {
      const relative = paths.map((path) => path.replace(/^\/+/, ''));
      await create({ gzip: true, file: partial, cwd: '/', portable: true, follow: true }, relative);
      const entries = await countEntries(partial);
      if (entries < paths.length) {
        throw new PreconditionError(
          `the archive of the configuration has ${entries} entries for ${paths.length} folders`,
        );
      }
      return { serverVersion, schemaVersion: '', entries };
    },
    work,
  );
}

/** Reads all of such a backup again. @throws PreconditionError when it is not what its manifest says */
export async function checkConfiguration(file: string, sha256: string): Promise<void> {
  const manifest = await readWholeBackup(file, PLACE);
  if (manifest?.sha256 === sha256 && (await countEntries(file)) === manifest.entries) return;
  throw new PreconditionError(`${file} is missing or damaged (sha256 ${sha256} was written down)`, { file });
}

async function countEntries(file: string): Promise<number> {
  let entries = 0;
  await list({ file, strict: true, onReadEntry: () => (entries += 1) });
  return entries;
}
