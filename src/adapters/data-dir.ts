import { homedir } from 'node:os';
import { join } from 'node:path';

/** `~` at the start of a path as the home folder of this worker's user. */
export function expandHome(path: string): string {
  return path === '~' || path.startsWith('~/') ? join(homedir(), path.slice(1)) : path;
}

/** Folder of what one roll-out keeps about one target. */
export function targetDir(dataDir: string, rolloutId: string, targetName: string): string {
  return join(expandHome(dataDir), 'rollouts', rolloutId, targetName);
}
