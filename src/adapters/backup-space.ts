import { randomUUID } from 'node:crypto';
import { mkdir, rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, PreconditionError } from '../core/errors.js';

/**
 * Makes `directory` when it is missing and checks that `neededBytes` fit on its disk.
 * @throws PreconditionError when it cannot be made or written, or with the bytes needed and free
 */
export async function checkFreeSpace(directory: string, neededBytes: number): Promise<void> {
  const probe = join(directory, `.${randomUUID()}.probe`);
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    await writeFile(probe, '');
  } catch (cause) {
    throw new PreconditionError(
      `backup folder ${directory} cannot be written by this worker (${messageOf(cause)}); make it writable, or name another`,
      { directory },
      { cause },
    );
  } finally {
    await rm(probe, { force: true }).catch(() => undefined);
  }
  const { bavail, bsize } = await statfs(directory);
  const freeBytes = bavail * bsize;
  if (freeBytes >= neededBytes) return;
  throw new PreconditionError(
    `backup folder ${directory} has ${freeBytes} bytes free, but a backup may need ${neededBytes} (the size of the ` +
      'database); free some, or name a folder on another disk',
    { directory, neededBytes, freeBytes },
  );
}
