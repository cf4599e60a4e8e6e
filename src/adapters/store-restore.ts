import type { StoredRun } from '../core/restoring/compare-runs.js';
import type { BackupManifest } from './backup-manifest.js';
import type { Backup, Work } from './store.js';

/** Which backup a store goes back to. */
export interface RestoreOrder {
  readonly file: string;
  readonly sha256: string;
  /** Schema version that it has to have. */
  readonly schema: string;
  /** Names what is kept; the same in every try. */
  readonly stamp: string;
  /**
   * Has `make` write the backup `file` of what is replaced in place, and keeps it, unless an earlier try has, on whichever host: by then
   * there may be something else. `make` alone is called where it is left out.
   */
  readonly keepBefore?: ((file: string, make: () => Promise<Backup>) => Promise<void>) | undefined;
}

/** Backs up what is replaced in place, into `file`, as the order has it kept. */
export async function backUpBefore(
  { keepBefore }: Pick<RestoreOrder, 'keepBefore'>,
  file: string,
  backUp: (file: string) => Promise<Backup>,
): Promise<void> {
  const make = () => backUp(file);
  if (keepBefore === undefined) await make();
  else await keepBefore(file, make);
}

/**
 * `beside`: into a new database, which then takes the name of the old one. `in-place`: the user may not make databases, so that
 * the tables themselves are replaced, in one transaction, after a backup of what they hold.
 */
export interface RestoreWay {
  readonly way: 'beside' | 'in-place';
  /** Why it cannot be done beside. */
  readonly why?: string | undefined;
  /** What is there now, in bytes: about as much is needed once more. */
  readonly bytes: number;
}

/** What happened since a moment, by the id of the namespace. */
export interface CountedSince {
  readonly namespaceId: string;
  readonly started: number;
  readonly closed: number;
  readonly running: number;
}

/** How a store goes back to a backup. Every acting step looks at what is there first, and may be killed on any line. */
export interface StoreRestore {
  /** @throws PreconditionError when it can be done in no way */
  findWay(): Promise<RestoreWay>;
  /** Reads all of a backup again. @throws PreconditionError when it is not what the order says */
  checkBackup(order: RestoreOrder, work?: Work): Promise<BackupManifest>;
  /** Who else is connected to the database, a line each. */
  listSessions(): Promise<string[]>;
  /** Brings the contents of the backup, beside the database or into it, and checks them. No server may run. */
  bring(order: RestoreOrder, work?: Work): Promise<BackupManifest>;
  /** Gives `use` all runs of the brought database, in order of namespace id and run id. Default store alone. */
  withRuns<T>(order: RestoreOrder, use: (runs: AsyncIterable<StoredRun>) => Promise<T>): Promise<T>;
  /**
   * Makes the brought visibility show what `runs` say. Runs that servers have to write anew are appended to `listFile`, a line of
   * JSON each, before their rows are changed. Visibility store alone.
   */
  bringInStep(
    order: RestoreOrder,
    { runs, listFile }: { readonly runs: AsyncIterable<StoredRun>; readonly listFile: string },
    work?: Work,
  ): Promise<{ readonly removed: number; readonly corrected: number }>;
  /** Lets what was brought take the place of the database. @returns where what was there before is kept */
  takePlace(order: RestoreOrder, work?: Work): Promise<string>;
  /** What was started, closed and running since a moment, from the tables. Visibility store alone. */
  countSince(at: string): Promise<CountedSince[]>;
  /** Names of the namespaces by their ids. Default store alone. */
  readNamespaceNames(): Promise<ReadonlyMap<string, string>>;
}
