import { mkdir, readdir, readFile, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf, PreconditionError } from '../../../core/errors.js';

/** A group is busy for moments after its last process was killed. */
const EMPTY_WITHIN_MS = 30_000;

/**
 * Makes the control group `name`, below which a node has those of its pods, in each hierarchy of this host; the same of an earlier node
 * is removed first. A kubelet takes every other group than its own pods' for one that was left over, so it has to be nobody else's.
 * @throws PreconditionError when this host has none, or this process may not make one
 */
export async function makeCgroups(name: string): Promise<void> {
  await removeCgroups(name);
  const hierarchies = await hierarchiesOf();
  if (hierarchies.length === 0)
    throw new PreconditionError('containers take control groups; mount them below /sys/fs/cgroup');
  for (const hierarchy of hierarchies) {
    await mkdir(join(hierarchy, name)).catch((cause: unknown) => {
      throw new PreconditionError(
        `no control group ${join(hierarchy, name)} can be made (${messageOf(cause)}); run as root`,
        {},
        { cause },
      );
    });
  }
}

/** Removes the groups `name` with all below them, once no process is left in them. @throws Error that names one that stays busy */
export async function removeCgroups(name: string): Promise<void> {
  const end = Date.now() + EMPTY_WITHIN_MS;
  for (const hierarchy of await hierarchiesOf()) await removeTree(join(hierarchy, name), end);
}

/** Where control groups are mounted: one place for each controller, or one for all of them. */
async function hierarchiesOf(): Promise<string[]> {
  const mounts = (await readFile('/proc/self/mounts', 'utf8')).split('\n').map((line) => line.split(' '));
  return mounts.filter(([, , type = '']) => /^cgroup2?$/.test(type)).map(([, place = '']) => place);
}

async function removeTree(folder: string, end: number): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) if (entry.isDirectory()) await removeTree(join(folder, entry.name), end);
  for (;;) {
    const problem = await rmdir(folder).then(
      () => undefined,
      (error: unknown) => error as NodeJS.ErrnoException, // of a call of the file system
    );
    if (problem === undefined || problem.code === 'ENOENT') return;
    if (Date.now() > end) throw new Error(`the control group ${folder} cannot be removed: ${problem.message}`);
    await sleep(50);
  }
}
