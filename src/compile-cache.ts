import { enableCompileCache } from 'node:module';
import { join } from 'node:path';
import { defaultCacheDir } from './adapters/cache-dir.js';

/**
 * Has Node keep what it compiled for the next command, in the cache of this user: Node's default is a folder that all users of the
 * host share. `NODE_COMPILE_CACHE` names another, `NODE_DISABLE_COMPILE_CACHE=1` leaves it out; where it cannot be written, nothing
 * is kept.
 */
export function keepCompiled(): void {
  if (process.env.NODE_COMPILE_CACHE === undefined) enableCompileCache(join(defaultCacheDir(), 'compiled'));
}
