import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where brought programs are kept unless somebody says otherwise. */
export function defaultCacheDir(): string {
  const { TEMPORAL_UPGRADE_CACHE_DIR: configured, XDG_CACHE_HOME: xdg } = process.env;
  return configured || join(xdg || join(homedir(), '.cache'), 'temporal-upgrade');
}
