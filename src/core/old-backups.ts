import type { KeepBackups } from './input/backups.js';

/** The backups of one try of one hop. */
export interface HopBackups {
  /** Folder of them, below that of all backups: `upgrade-prod/live-1.30.7-to-1.31.2-1`. */
  readonly folder: string;
  /** When the newest of them was taken, ISO 8601. */
  readonly takenAt: string;
}

const DAY_MS = 24 * 3_600_000;

/** Folders that need not be kept any more at `now` (milliseconds since 1970), the oldest first. */
export function oldBackups(all: readonly HopBackups[], { hops, days }: KeepBackups, now: number): string[] {
  return all
    .toSorted((a, b) => b.takenAt.localeCompare(a.takenAt))
    .slice(hops)
    .filter(({ takenAt }) => now - Date.parse(takenAt) > days * DAY_MS)
    .map(({ folder }) => folder)
    .toReversed();
}
