import { open, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { codeOf, PreconditionError } from '../../core/errors.js';

const LEAVE_IT = 'let it read and write the file and its folder, or set policy.roll.style to asConfigured';

/**
 * Replaces the whole of `path` where it still holds `from`: killed on any line, one or the other is there. Mode and owner
 * stay. Its time of change is later than before, since that alone makes a server read it.
 * @throws PreconditionError when this worker may not, or somebody changed it meanwhile
 */
export async function replaceFile(
  path: string,
  { from, to }: { readonly from: Buffer; readonly to: Buffer },
): Promise<void> {
  const part = partOf(path);
  try {
    const before = await stat(path);
    if (before.nlink > 1) {
      throw new PreconditionError(
        `${path} has ${before.nlink} hard links, which replacing it would tear apart; make them symbolic links`,
        { path },
      );
    }
    await writeDurably(part, to, before);
    if (!(await readFile(path)).equals(from)) {
      throw new PreconditionError(`${path} was changed by somebody else at this moment; it is left as it is`, { path });
    }
    await rename(part, path);
    await syncFolder(path);
    // Servers up to 1.24 compare with their last look at the file, which may lie between the writing and the renaming.
    await touchFile(path, before.mtimeMs);
  } catch (cause) {
    if (cause instanceof PreconditionError) throw cause;
    throw new PreconditionError(
      `${path} cannot be changed by this worker (${codeOf(cause) ?? 'unknown reason'}); ${LEAVE_IT}`,
      { path },
      { cause },
    );
  } finally {
    await removePart(path);
  }
}

/** One name: what a killed try left is written over. */
function partOf(path: string): string {
  return join(dirname(path), `.${basename(path)}.temporal-upgrade`);
}

/** Removes what a killed try to replace `path` left beside it. */
export async function removePart(path: string): Promise<void> {
  await rm(partOf(path), { force: true }).catch(() => undefined); // in nobody's way where it may not be removed
}

/** @throws PreconditionError when this worker may not read it */
export async function readWhole(path: string): Promise<Buffer> {
  return readFile(path).catch((cause: unknown) => {
    throw new PreconditionError(
      `${path} cannot be read by this worker (${codeOf(cause) ?? 'unknown reason'}); ${LEAVE_IT}`,
      { path },
      { cause },
    );
  });
}

/** Makes servers read the file again. Later than `afterMs` by a second: some file systems know whole seconds only. */
export async function touchFile(path: string, afterMs = 0): Promise<void> {
  await utimes(path, new Date(), new Date(Math.max(Date.now(), afterMs + 1_000)));
}

/** Writes a file with the mode and owner of another; it is on the disk when this returns. */
export async function writeDurably(
  path: string,
  content: Buffer | string,
  like: { readonly mode: number; readonly uid?: number; readonly gid?: number },
): Promise<void> {
  const file = await open(path, 'w', 0o600);
  try {
    await file.writeFile(content);
    const { uid, gid } = await file.stat();
    if ((like.uid ?? uid) !== uid || (like.gid ?? gid) !== gid) await file.chown(like.uid ?? uid, like.gid ?? gid);
    await file.chmod(like.mode & 0o7777); // after the change of owner, which takes bits away
    await file.sync();
  } finally {
    await file.close();
  }
}

/** A rename is on the disk when its folder is. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(dirname(path), 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
