import { access, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { lock } from 'proper-lockfile';
import { defaultCacheDir } from '../adapters/cache-dir.js';

/** A lock that was not renewed for this long belongs to a dead process. */
const STALE_MS = 20_000;

/**
 * The folder `name` of the cache, which `bring` fills when it is not there: it gets an empty folder, and what it left there
 * appears whole or not at all. One process of this machine at a time; what a killed one began is thrown away.
 * @throws whatever `bring` throws
 */
export async function broughtOnce(name: string, bring: (folder: string) => Promise<void>): Promise<string> {
  const cache = defaultCacheDir();
  const place = join(cache, name);
  if (await isThere(place)) return place;
  await mkdir(cache, { recursive: true });
  const release = await lock(cache, {
    lockfilePath: `${place}.lock`,
    stale: STALE_MS,
    retries: { forever: true, factor: 1, minTimeout: 500, maxTimeout: 500 }, // a build takes minutes
  });
  try {
    if (await isThere(place)) return place;
    for (const left of await readdir(cache)) {
      if (left.startsWith(`${name}.part-`)) await rm(join(cache, left), { recursive: true, force: true });
    }
    const part = await mkdtemp(`${place}.part-`);
    try {
      await bring(part);
      await rename(part, place);
    } finally {
      await rm(part, { recursive: true, force: true });
    }
    return place;
  } finally {
    await release();
  }
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
