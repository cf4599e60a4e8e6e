import { homedir } from 'node:os';
import { join } from 'node:path';

/** `~` at the start of a path as the home folder of this worker's user. */
export function expandHome(path: string): string {
  return path === '~' || path.startsWith('~/') ? join(homedir(), path.slice(1)) : path;
}

/** Folder of what one roll-out writes down about one target, apart from that of an earlier one with the same id. */
export function recordDir({
  dataDir,
  rolloutId,
  firstRunId,
  target,
}: {
  readonly dataDir: string;
  readonly rolloutId: string;
  readonly firstRunId: string;
  readonly target: { readonly name: string };
}): string {
  return join(targetDir(dataDir, rolloutId, target.name), firstRunId);
}

/** Folder of what a roll-out id keeps about one target. */
export function targetDir(dataDir: string, rolloutId: string, targetName: string): string {
  return join(expandHome(dataDir), 'rollouts', rolloutId, targetName);
}
