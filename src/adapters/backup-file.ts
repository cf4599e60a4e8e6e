import { randomUUID } from 'node:crypto';
import { chmod, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { messageOf } from '../core/errors.js';
import { type BackupManifest, manifestPath, readWholeBackup, sha256Of } from './backup-manifest.js';
import type { Backup, Work } from './store.js';
import { syncFolder, writeWhole } from './write-whole.js';

const PROGRESS_MS = 2_000;

/** What a backup is of. */
type Place = Pick<BackupManifest, 'database' | 'host' | 'port'>;

/** What whoever wrote a backup, and read it back, knows of it. */
export type Written = Pick<BackupManifest, 'serverVersion' | 'schemaVersion' | 'entries' | 'rows' | 'bytesBeside'>;

/**
 * Has `write` fill an empty file for this user alone, and makes it the backup `file` with its manifest: killed on any line, there
 * is either no manifest or a whole backup. One that is already there is checked and kept.
 * @throws PreconditionError when the file belongs to another database; what `write` throws
 */
export async function writeBackup(
  { database, host, port }: Place,
  file: string,
  write: (partial: string) => Promise<Written>,
  work: Work,
): Promise<Backup> {
  const existing = await readWholeBackup(file, { host, port, database });
  if (existing !== undefined) return summarize(file, existing);
  await mkdir(dirname(file), { recursive: true, mode: 0o700 }); // it holds what the workflows of others hold
  await removeLeftovers(file);
  // Its own name for each attempt: the program of a killed worker may still be writing into the one before.
  const partial = `${file}.${randomUUID()}.partial`;
  try {
    const takenAt = new Date().toISOString();
    await (await open(partial, 'wx', 0o600)).close(); // programs keep the mode of a file that is there
    await chmod(partial, 0o600);
    const written = await write(partial);
    await sync(partial);
    const manifest: BackupManifest = {
      database,
      host,
      port,
      takenAt,
      ...written,
      bytes: (await stat(partial)).size,
      sha256: await sha256Of(partial, work.signal),
    };
    await rm(manifestPath(file), { force: true }); // of a damaged backup; from here on there is none until the new one
    await rename(partial, file);
    await syncFolder(dirname(file));
    await writeWhole(manifestPath(file), `${JSON.stringify(manifest, undefined, 2)}\n`);
    return summarize(file, manifest);
  } finally {
    await rm(partial, { force: true });
  }
}

async function sync(file: string): Promise<void> {
  const handle = await open(file, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function summarize(file: string, { bytes, bytesBeside, sha256, entries }: BackupManifest): Backup {
  return { file, bytes, ...(bytesBeside === undefined ? {} : { bytesBeside }), sha256, entries };
}

async function removeLeftovers(file: string): Promise<void> {
  const prefix = `${basename(file)}.`;
  for (const name of await readdir(dirname(file))) {
    if (name.startsWith(prefix) && name.endsWith('.partial')) await rm(join(dirname(file), name), { force: true });
  }
}

/** Tells every two seconds how something goes that takes long; the function that is returned ends it. */
export function every(describe: () => Promise<string>, { onProgress }: Work): () => void {
  const timer = setInterval(() => {
    describe().then(onProgress, (error: unknown) => onProgress?.(messageOf(error)));
  }, PROGRESS_MS);
  return () => clearInterval(timer);
}
