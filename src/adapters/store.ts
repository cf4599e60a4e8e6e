import type { ShardRow, StoreFacts } from '../core/cluster.js';
import type { DatabaseReading } from '../core/measuring/round.js';
import type { StoreSurvey } from '../core/survey/store-survey.js';
import type { StoreRestore } from './store-restore.js';

/** Which of the target's databases a store is. */
export type StoreRole = 'default' | 'visibility';

/** What a backup left behind. */
export interface Backup {
  readonly file: string;
  readonly bytes: number;
  /** Of the files beside it, where there are several. */
  readonly bytesBeside?: number | undefined;
  readonly sha256: string;
  /** Entries of its table of contents, as read back from the file. */
  readonly entries: number;
}

export interface Work {
  readonly signal?: AbortSignal | undefined;
  /** Called at least every few seconds while something long goes on. */
  readonly onProgress?: ((progress: string) => void) | undefined;
}

/** What a survey of a store holds it against. */
export interface StoreSurveyRequest {
  /** Folder of its scripts below the server's `schema/`, such as `postgresql/v12/temporal`. */
  readonly folder: string;
  /** Schema version that the coming hop leads to; absent when none comes. */
  readonly schemaTo?: string | undefined;
  /** Folder of the target's backups. */
  readonly backupDir: string;
}

/**
 * A database of a target: one of the two extension points. What differs between PostgreSQL, MySQL, Cassandra and
 * Elasticsearch stays behind it. Reading methods change nothing.
 */
export interface Store {
  /** Which database, its schema version and its size. @throws PreconditionError that names host, database and way out. */
  describe(): Promise<StoreFacts>;
  /** Looks at everything that a hop depends on. What could not be seen says why: nothing the database says makes it throw. */
  survey(request: StoreSurveyRequest): Promise<StoreSurvey>;
  /** Size, connections and the time of a trivial question. @throws PreconditionError when there is no answer in time */
  measure(timeoutMs: number): Promise<DatabaseReading>;
  readSchemaVersion(): Promise<string>;
  /** Finds or brings all that {@link updateSchema} to `serverVersion` will need: its tool, and its scripts. */
  prepareUpdate(serverVersion: string, work?: Work): Promise<void>;
  /**
   * Brings the schema to `to` with the tool of `serverVersion`. The caller has read the version before and reads it after.
   * Safe to run again after it was killed. @returns what else had to be done, a line each
   */
  updateSchema(step: { readonly to: string; readonly serverVersion: string }, work?: Work): Promise<readonly string[]>;
  /** Writes a backup into `file`, atomically, and reads it back. An existing whole backup is checked and kept. */
  backUp(file: string, work?: Work): Promise<Backup>;
  /** Every row of `shards`, in order. Only the default store has them. */
  readShards(): Promise<ShardRow[]>;
  /** The way back to a backup. */
  readonly restore: StoreRestore;
  close(): Promise<void>;
}
