import { open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Whoever the umask lets; else only the owner may read a file: it may tell of more than everybody should know. */
export const READABLE = 0o666;

/** Writes a file so that after a crash, of the host too, it is there as a whole, or as it was before. */
export async function writeWhole(file: string, text: string, mode = 0o600): Promise<void> {
  const partial = `${file}.${process.pid}.partial`;
  const handle = await open(partial, 'w', mode);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(partial, file);
  await syncFolder(dirname(file));
}

/** Makes renames within a folder survive a power cut. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
