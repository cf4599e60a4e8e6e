import { access, constants, stat, statfs } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { codeOf, messageOf } from '../core/errors.js';
import type { FreeSpace } from '../core/survey/store-survey.js';

/**
 * Space free below a folder that may not be there yet: on the nearest one above it that is. Makes nothing.
 * @throws Error when that is no folder, or one that this process cannot write
 */
export async function freeSpaceBelow(directory: string): Promise<FreeSpace> {
  const path = await nearestExisting(resolve(directory));
  if (!(await stat(path)).isDirectory()) throw new Error(`${path} is no folder`);
  await access(path, constants.W_OK | constants.X_OK).catch((error: unknown) => {
    throw new Error(`the folder ${path} cannot be written by this worker (${messageOf(error)})`);
  });
  const { bavail, bsize } = await statfs(path);
  return { path, freeBytes: bavail * bsize };
}

async function nearestExisting(path: string): Promise<string> {
  try {
    await stat(path);
    return path;
  } catch (error) {
    if (codeOf(error) !== 'ENOENT' || dirname(path) === path) throw error;
    return nearestExisting(dirname(path));
  }
}
