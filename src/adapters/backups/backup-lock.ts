import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { PreconditionError } from '../../core/errors.js';
import { tryLock } from '../file-lock.js';
import type { Work } from '../store.js';

/** Beside the folders of roll-outs, so that it stays when one of them is removed. */
const FOLDER = '.locks';
const POLL_MS = 500;

interface Locked {
  /** Folder of all backups of a target. */
  readonly root: string;
  /** Path of a backup below it. */
  readonly key: string;
}

/**
 * Runs `use` while no other process brings the files of a backup here, or removes them: what is encrypted, or kept in an object store,
 * lies here only while somebody reads it, and whoever ends first would take it away from the other. Waits while another does.
 */
export async function withBackupLock<T>({ root, key }: Locked, work: Work, use: () => Promise<T>): Promise<T> {
  const file = join(root, FOLDER, `${createHash('sha256').update(key).digest('hex').slice(0, 32)}.lock`);
  for (;;) {
    using held = tryLock(file);
    if (held !== undefined) return await use();
    work.onProgress?.(`waiting: another process reads or keeps the backup ${key}`);
    await sleep(POLL_MS, undefined, { signal: work.signal });
  }
}

/** Runs `use` while no other process restores the databases of a target by hand. @throws PreconditionError while one does */
export async function withRestoreLock<T>(root: string, use: () => Promise<T>): Promise<T> {
  using held = tryLock(join(root, FOLDER, 'restore.lock'));
  if (held !== undefined) return await use();
  throw new PreconditionError(
    `another process restores databases from backups below ${root}; wait until it has ended, then say again what you want`,
    { backupDir: root, reason: 'restore-under-way' },
  );
}
