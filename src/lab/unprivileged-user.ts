import { readFile, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { PreconditionError } from '../core/errors.js';

/** A user of this host, by number. */
export interface HostUser {
  readonly uid: number;
  readonly gid: number;
}

/**
 * The user that PostgreSQL is run as when this process is root, which PostgreSQL refuses; undefined for everybody else.
 * @throws PreconditionError when root finds neither `postgres` nor `nobody` in /etc/passwd
 */
export async function findUnprivilegedUser(): Promise<HostUser | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const users = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'));
  const found = ['postgres', 'nobody'].flatMap((name) => users.filter(([user]) => user === name))[0];
  if (found === undefined) {
    throw new PreconditionError(
      'PostgreSQL does not run as root, and there is no user postgres or nobody; run as another user than root',
    );
  }
  return { uid: Number(found[2]), gid: Number(found[3]) };
}

/** Whether `user` may pass through `folder` and every folder above it. */
export async function isReachable(folder: string, user: HostUser): Promise<boolean> {
  const { mode, uid } = await stat(folder);
  const bit = uid === user.uid ? 0o100 : 0o001;
  if ((mode & bit) === 0) return false;
  const parent = dirname(resolve(folder));
  return parent === resolve(folder) || isReachable(parent, user);
}
